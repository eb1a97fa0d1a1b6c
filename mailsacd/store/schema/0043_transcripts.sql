-- What was said on the wire about mail. That of a message is in its row, so that it goes with it.
alter table address add column transcript boolean not null default false;
create index address_transcript on address (domain) where transcript;

alter table message add column transcript bytea;  -- the JSON of core.transcript, compressed with zstd

-- Of transactions in which something was refused, for each address that it was about.
create table refused_transcript (
    id          text collate "C" primary key,
    inbox       text collate "C" not null,             -- where the mail would have gone
    account     text collate "C" not null default '',  -- whose that is; '': nobody's, for the operator
    received    timestamptz not null,
    transcript  bytea not null
);
create index refused_transcript_inbox on refused_transcript (inbox, account, id);
create index refused_transcript_account on refused_transcript (account, id);
create index refused_transcript_received on refused_transcript (received);
