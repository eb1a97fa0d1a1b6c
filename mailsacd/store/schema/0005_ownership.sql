-- Whose a message is. Public mail has no owner, and none of the indexes below costs it anything.

alter table message
    add column owner      text collate "C",   -- the account whose address or verified domain it was
    add column private    boolean not null default false,   -- seen by its owner alone
    add column subject    text,   -- the rest is for searching, and kept where there is an owner:
    add column sender     text,   -- addresses and names of From
    add column recipients text;   -- addresses and names of To and Cc

create index message_owner on message (owner, id) where owner is not null;
create index message_saved_by on message (saved_by, id) where saved_by is not null;
create index message_search on message using gin (
    to_tsvector('simple', coalesce(subject, '') || ' ' || coalesce(sender, '') || ' ' ||
                          coalesce(recipients, ''))
) where owner is not null;
