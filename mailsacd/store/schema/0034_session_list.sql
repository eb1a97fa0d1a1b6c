-- What people are shown of their sessions.

alter table session
    add column id        text collate "C" not null default replace(gen_random_uuid()::text, '-', ''),  -- told, unlike the token
    add column peer      text not null default '',          -- the IP address that signed in
    add column agent     text not null default '',          -- its program, in a few words
    add column last_used timestamptz not null default now();    -- to an hour
create unique index session_id on session (id);
