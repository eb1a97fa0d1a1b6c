-- Messages on their way out, and each of their recipients.

create table outgoing_message (
    id           text collate "C" primary key,   -- time-ordered (core.token)
    account      text collate "C",               -- who sends; null: the daemon itself
    origin       text not null,                  -- api, submission, release, report, service
    reverse_path text not null,                  -- '' for reports: nothing is ever reported about them
    header_from  text not null,                  -- address of the From field: its domain's DKIM key signed
    subject      text not null,
    message_id   text not null,                  -- without angle brackets
    size         integer not null,               -- bytes of the message
    body         bytea,                          -- compressed; null once no recipient is open any more
    created      timestamptz not null default now(),
    ended        timestamptz,                    -- when that was
    ret          text,                           -- FULL or HDRS (RFC 3461)
    envid        text,
    smtputf8     boolean not null default false  -- an address or a header field is not ASCII
);
-- No reference to account, as of deliveries: its removal deletes them.
create index outgoing_message_account on outgoing_message (account, id);
create index outgoing_message_ended on outgoing_message (ended) where ended is not null;

create table outgoing_recipient (
    message_id text collate "C" not null references outgoing_message on delete cascade,
    place      integer not null,
    account    text collate "C" not null default '',  -- the message's; '': the daemon
    address    text collate "C" not null,
    domain     text collate "C" not null,        -- normal; of an address literal the literal
    state      text not null default 'queued',   -- queued, held, delivered, failed, cancelled
    ready      boolean not null default true,    -- may be claimed; false: waits for "due", or is claimed
    attempts   integer not null default 0,       -- that have begun
    due        timestamptz not null default now(),
    claimed_until timestamptz,                   -- lease of who is at it
    notify     text,                             -- NEVER, or of SUCCESS, FAILURE, DELAY; null: the usual
    orcpt      text,
    -- Of the last attempt: 550, 5.1.1, text, who said it
    code       integer,
    status     text,
    reply      text,
    host       text,
    tried      timestamptz,
    finished   timestamptz,
    delay_told boolean not null default false,
    primary key (message_id, place)
);
alter table outgoing_recipient set (autovacuum_vacuum_scale_factor = 0.02);
