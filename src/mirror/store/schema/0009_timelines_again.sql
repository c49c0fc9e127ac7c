-- Parts without a time used to sort before others of the same second. Recompute the affected timelines.
DELETE FROM conversation_timelines;
