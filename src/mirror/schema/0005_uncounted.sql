-- Records that exist, and that the server's count leaves out all the same: found when what is gone was
-- last removed.
ALTER TABLE sync_state ADD COLUMN uncounted INTEGER NOT NULL DEFAULT 0;

-- The lookup of what hangs on a record that is removed.
CREATE INDEX contact_subscriptions_subscription ON contact_subscriptions (subscription_id);
