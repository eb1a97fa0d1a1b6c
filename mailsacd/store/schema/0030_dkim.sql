-- Keys that outgoing mail is signed with (RFC 6376), two of each domain: RSA and Ed25519.

create table dkim_key (
    domain       text collate "C" not null,
    selector     text collate "C" not null,
    owner        text collate "C",          -- whose claim to the domain; null: the operator's domain
    algorithm    text not null,             -- rsa-sha256, ed25519-sha256
    public       bytea not null,            -- what its DNS record has
    sealed       bytea not null,            -- the private half, under a key made of the server's secret
    created      timestamptz not null default now(),
    active_since timestamptz,               -- from then on it signs; null: waits for its DNS record
    retired      timestamptz,               -- another one signs since; published for what is under way
    published    boolean not null default false,  -- whether the last look found its record
    next_look    timestamptz default now(), -- at the DNS
    primary key (domain, selector),
    foreign key (domain, owner) references domain (name, owner) on delete cascade
);
create index dkim_key_owner on dkim_key (owner, domain);
create index dkim_key_next_look on dkim_key (next_look);
create index dkim_key_retired on dkim_key (retired) where retired is not null;
