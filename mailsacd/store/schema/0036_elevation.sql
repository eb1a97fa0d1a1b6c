-- Until when a team user may do what the account's own login does.

alter table login add column elevated_until timestamptz;
