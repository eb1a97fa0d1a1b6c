-- What accounts own: domains and private addresses.

-- Several accounts may claim a domain; one at most has proved that it is theirs.
create table domain (
    name              text collate "C" not null,
    owner             text collate "C" not null references account on delete cascade,
    created           timestamptz not null default now(),
    updated           timestamptz not null default now(),
    enablews          boolean not null default false,
    hosted            boolean not null default false,  -- below the operator's own hosting domain
    is_default        boolean not null default false,
    is_private        boolean not null default true,
    verified          boolean not null default false,
    verified_mx       boolean not null default false,
    verification_txt  text not null,
    verification_errors text[] not null default '{}',  -- of the last look at its DNS
    found             jsonb not null default '{}',     -- what that saw of SPF and MX
    checked           timestamptz,
    missing_since     timestamptz,                     -- when a proof was first found taken away
    next_check        timestamptz,
    primary key (name, owner)
);
create unique index domain_verified on domain (name) where verified;
create index domain_owner on domain (owner);
create index domain_next_check on domain (next_check) where next_check is not null;

create table address (
    email                 text collate "C" primary key,   -- normal; *@domain is its catch-all
    domain                text collate "C" not null,
    owner                 text collate "C" not null references account on delete cascade,
    info                  text,
    forward               text,
    enablews              boolean not null default false,
    webhook               text,
    webhook_slack         text,
    webhook_slack_to_from boolean not null default true,
    password_hash         text,
    catch_all             boolean not null default false,
    created               timestamptz not null default now(),
    updated               timestamptz not null default now()
);
create index address_owner on address (owner, email);
create index address_domain on address (domain);
