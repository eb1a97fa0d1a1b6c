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

-- The searched texts of a message, out of its facts. Cut, for an index entry has its limits; and
-- U+0000 has no place in PostgreSQL's texts.
create function people_text(people json) returns text immutable language sql as $$
    select left(string_agg(concat_ws(' ', person ->> 'name', person ->> 'address'), ' '), 20000)
    from json_array_elements(case json_typeof(people) when 'array' then people else '[]' end) person
$$;

create function searched_texts(
    facts text, out subject text, out sender text, out recipients text
) immutable language sql as $$
    select left(fact ->> 'subject', 2000), people_text(fact -> 'from'),
        concat_ws(' ', people_text(fact -> 'to'), people_text(fact -> 'cc'))
    from (select (replace(facts, '\u0000', '\ufffd') || '}')::json as fact) read
$$;
