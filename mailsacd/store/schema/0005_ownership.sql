-- Whose a message is. Public mail has no owner, and none of the indexes below costs it anything.

alter table message
    add column owner      text collate "C",   -- the account whose address or verified domain it was
    add column private    boolean not null default false,   -- seen by its owner alone
    add column subject    text,   -- the rest is for searching, and kept where there is an owner:
    add column sender     text,   -- addresses and names of From
    add column recipients text;   -- of To and Cc, and the inbox

-- What an account's lists read. The read mark and the star come along so that counting what is
-- unread looks at the index alone.
create index message_owner on message (owner, id) include (read, saved_by) where owner is not null;
create index message_domain on message (domain, id) where owner is not null;
create index message_saved_by on message (saved_by, id) where saved_by is not null;

-- Texts are compared in lower case: of Latin, Greek and Cyrillic letters wherever this runs, of
-- others where the database's locale knows them.
create function folded(words text) returns text immutable parallel safe language sql as $$
    select lower(case when octet_length(words) = length(words) then words else translate(words,
        'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮĲĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖ'
        'ŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГ'
        'ДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѶѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾ'
        'ӀӁӃӅӇӉӋӍӐӒӔӖӘӚӜӞӠӢӤӦӨӪӬӮӰӲӴӶӸӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮ',
        'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĳĵķĺļľŀłńņňŋōŏőœŕŗ'
        'řśŝşšţťŧũūŭůűųŵŷÿźżžάέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊѐёђѓєѕіїјљњћќѝўџабвг'
        'дежзийклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿ'
        'ӏӂӄӆӈӊӌӎӑӓӕӗәӛӝӟӡӣӥӧөӫӭӯӱӳӵӷӹӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯ') end)
$$;

-- The index for searching by any part of a text: each three bytes that follow each other in it,
-- in the low 24 bits, and whose it is in the others. So an account's search never walks through
-- the entries of another's. Takes 25 µs for a usual message; the costs keep the planner from
-- calling it for row after row instead of looking into the index.
create function search_grams(owner text, variadic words text[]) returns bigint[]
immutable parallel safe cost 10000 language plpgsql as $$
declare
    bytes   bytea := convert_to(array_to_string(words, chr(10)), 'UTF8');
    account bigint := ('x' || left(md5(owner), 10))::bit(40)::bigint << 24;
    gram    integer;
    grams   bigint[];
begin
    if length(bytes) < 3 then
        return grams;
    end if;
    gram := get_byte(bytes, 0) << 8 | get_byte(bytes, 1);
    for place in 2 .. length(bytes) - 1 loop
        gram := (gram & 65535) << 8 | get_byte(bytes, place);
        grams := grams || (account | gram);
    end loop;
    return grams;
end
$$;
create index message_search on message using gin (
    search_grams(owner, subject, sender, recipients)
) with (gin_pending_list_limit = 512) where owner is not null;

-- The searched texts of a message, out of its facts. Cut, for every three bytes are an entry of
-- the index; and U+0000 has no place in PostgreSQL's texts.
create function people_text(people json) returns text immutable language sql as $$
    select left(string_agg(concat_ws(' ', person ->> 'name', person ->> 'address'), ' '), 4000)
    from json_array_elements(case json_typeof(people) when 'array' then people else '[]' end) person
$$;

-- Stable, though it is immutable: PostgreSQL works out immutable functions of constants ahead, also
-- where a case would never ask for them.
create type message_texts as (subject text, sender text, recipients text);
create function searched_texts(facts text) returns message_texts stable language sql as $$
    select folded(left(fact ->> 'subject', 1000)), folded(people_text(fact -> 'from')),
        folded(concat_ws(' ', fact ->> 'originalInbox', fact ->> 'inbox',
                         people_text(fact -> 'to'), people_text(fact -> 'cc')))
    from (select (replace(facts, '\u0000', '\ufffd') || '}')::json as fact) read
$$;
