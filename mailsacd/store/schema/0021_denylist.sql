-- Whom the operator shuts out, for how long, and also to whom no mail is taken.

alter table denylist
    add column recipient boolean not null default false,   -- the entry is whom mail is for
    add column expires   timestamptz,                      -- null: it stays
    drop constraint denylist_pkey,
    add primary key (entry, recipient);
