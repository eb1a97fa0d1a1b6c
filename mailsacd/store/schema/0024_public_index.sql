-- The index of public mail by time is for those who ask for it by this very condition (see
-- mailsacd/store/retention.py). Of a table that it knew nothing of yet, the planner would have read
-- all of it for the public mail of one inbox.

drop index message_public;
create index message_public on message (received) where coalesce(owner, saved_by) is null;
