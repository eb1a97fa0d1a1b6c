-- What was done to accounts and to what they own.

create table audit (
    id      text collate "C" primary key,   -- rises with time
    account text collate "C" not null,
    topic   text not null,                  -- account, session, two-factor, key, team, domain, address, operator
    action  text not null,                  -- created, changed, removed …
    subject text not null,                  -- the key, login, address or domain
    detail  text not null default '',
    author  text not null,                  -- login, key, operator, server
    name    text not null default '',       -- the login's or the key's
    peer    text not null default ''        -- the IP address
);
create index audit_account on audit (account, id);
create index audit_topic on audit (account, topic, id);
