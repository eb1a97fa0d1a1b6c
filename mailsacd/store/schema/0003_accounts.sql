-- People: accounts, the logins of an account, and what proves who somebody is.
--
-- Of passwords, keys and tokens only hashes are kept: argon2id of what people choose, SHA-256 of
-- what was drawn at random and is too long to guess.

create table account (
    name            text collate "C" primary key,   -- lower case
    email           text not null,
    plan            text not null,                  -- a name of the settings' plans
    overrides       jsonb not null default '{}',    -- limits of this account alone
    labels          text[] not null default '{}',
    recents         text[] not null default '{}',
    capture_private boolean not null default false, -- captured mail is starred for the account
    disable_spam    boolean not null default false,
    suspended       boolean not null default false, -- neither keys nor logins are good for anything
    removing        boolean not null default false, -- what it owned is being deleted
    created         timestamptz not null default now(),
    updated         timestamptz not null default now()
);
create unique index account_email on account (lower(email));

-- Who may sign in. The account's own login bears its name; team users stand below it.
create table login (
    name          text collate "C" primary key,     -- lower case
    account       text collate "C" not null references account on delete cascade,
    team          boolean not null,                 -- may not manage account, keys and domains
    password_hash text,                             -- null: cannot sign in until one is set
    created       timestamptz not null default now()
);
create index login_account on login (account);

create table session (
    token_hash bytea primary key,
    login      text collate "C" not null references login on delete cascade,
    created    timestamptz not null default now(),
    expires    timestamptz not null
);
create index session_login on session (login);
create index session_expires on session (expires);

create table password_reset (
    token_hash bytea primary key,
    login      text collate "C" not null references login on delete cascade,
    expires    timestamptz not null
);
create index password_reset_login on password_reset (login);

create table invitation (
    token_hash bytea primary key,
    expires    timestamptz not null
);

create table api_key (
    id        text collate "C" primary key,
    account   text collate "C" not null references account on delete cascade,
    name      text not null,
    hash      bytea not null unique,
    created   timestamptz not null default now(),
    last_used timestamptz,
    unique (account, name)
);
