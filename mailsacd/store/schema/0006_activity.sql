-- What happened, how much of it, and whom the operator shuts out.

create table activity (
    id      text collate "C" primary key,   -- rises with time
    account text collate "C",               -- null: of nobody in particular, for the operator
    kind    text not null,                  -- received, throttled, refused, recycled, forwarded …
    code    integer,                        -- SMTP or HTTP status where there was one
    subject text not null,                  -- the address, domain or peer that it is about
    detail  text not null default ''
);
create index activity_account on activity (account, id);

-- Operations counted per month: the first day of the month stands for it.
create table usage (
    account text collate "C" not null references account on delete cascade,
    month   date not null,
    kind    text not null,                  -- api, inbound, push, capture
    count   bigint not null default 0,
    primary key (account, month, kind)
);

create table denylist (
    entry   text collate "C" primary key,   -- a domain, an IP address or a network
    reason  text not null default '',
    created timestamptz not null default now()
);
