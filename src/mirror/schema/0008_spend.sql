-- What a company spends is not always a whole number.
UPDATE companies SET monthly_spend = raw ->> '$.monthly_spend' WHERE json_type(raw, '$.monthly_spend') = 'real';
