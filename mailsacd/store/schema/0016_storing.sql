-- What storing a message costs.

-- The searched texts of a message, as searched_texts gave them, which stays for nodes of the version
-- before. A query takes a function that gives a table into itself, and has no executor for each call.
create function search_texts(facts text)
returns table (subject text, sender text, recipients text) stable language sql as $$
    select folded(read.subject), folded(read.sender), folded(read.recipients)
    from (
        select left(fact.subject, 1000) as subject,
            (select left(string_agg(concat_ws(' ', p ->> 'name', p ->> 'address'), ' '), 4000)
             from json_array_elements(
                 case json_typeof(fact."from") when 'array' then fact."from" else '[]' end) p
            ) as sender,
            concat_ws(' ', fact."originalInbox", fact.inbox,
                (select left(string_agg(concat_ws(' ', p ->> 'name', p ->> 'address'), ' '), 4000)
                 from json_array_elements(
                     case json_typeof(fact."to") when 'array' then fact."to" else '[]' end) p),
                (select left(string_agg(concat_ws(' ', p ->> 'name', p ->> 'address'), ' '), 4000)
                 from json_array_elements(
                     case json_typeof(fact.cc) when 'array' then fact.cc else '[]' end) p)
            ) as recipients
        from json_to_record((replace(facts, '\u0000', '\ufffd') || '}')::json)
            as fact (subject text, "from" json, "to" json, cc json,
                     "originalInbox" text, inbox text)
        offset 0
    ) read
$$;

-- Compressing the facts of a message with many links took four times as long as all else of it, and
-- undoing that as long as the rest of a list. The texts of an event are read once or twice.
alter table message alter column facts set storage external;
alter table event alter column messages set storage external;
alter table event set (toast_tuple_target = 8160);
