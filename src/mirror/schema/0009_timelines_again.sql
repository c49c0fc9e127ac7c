-- Parts without a time of their own used to come before others of the same second. What was worked out that
-- way is worked out again.
DELETE FROM conversation_timelines;
