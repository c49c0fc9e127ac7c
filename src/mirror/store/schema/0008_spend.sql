-- A company's spend is not always an integer.
UPDATE companies SET monthly_spend = raw ->> '$.monthly_spend' WHERE json_type(raw, '$.monthly_spend') = 'real';
