-- How likely messages are spam, and what the classifier has learned.
--
-- `spam` is the JSON of core.spam, null while a message was not scored. It is written once, mostly a
-- moment after the row, with the score in the facts and, from a limit on, the folder.
alter table message add column spam text;
-- How the message was learned when its owner moved it: true: as spam; false: as none; null: not.
alter table message add column learned boolean;

-- In how many messages tokens came, by the buckets that they fall into. The bucket -1 counts the
-- messages themselves.
create table spam_token (
    bucket integer primary key,
    spam   integer not null,
    ham    integer not null
);
-- The same, of what an account has moved.
create table account_spam_token (
    account text collate "C" not null references account on delete cascade,
    bucket  integer not null,
    spam    integer not null,
    ham     integer not null,
    primary key (account, bucket)
);
