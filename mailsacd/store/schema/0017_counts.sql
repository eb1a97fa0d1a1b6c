-- How many messages everybody has, counted as they change, so that asking reads a few rows.
--
-- A message counts for one account: who starred it, else who owns it; public mail for the account ''.
-- Triggers count, whatever statement it is that changes messages. They append what changed, and
-- change no row: nobody who stores mail ever waits for another one's commit. A loop adds the changes
-- up in mail_count. So a count is a row there and the changes since, of one snapshot: exact always.

-- Bytes of the raw message. Rows of before this have it in their facts alone.
alter table message add column bytes integer;
create function message_bytes(bytes integer, facts text) returns integer
immutable parallel safe language sql as $$
    select coalesce(bytes, substring(facts from '"size":([0-9]+)')::integer, 0)
$$;

-- The inboxes of others that an account has starred mail in.
create index message_starred_elsewhere on message (saved_by, inbox)
    where saved_by is not null and owner is distinct from saved_by;

create table count_change (
    account     text collate "C" not null,
    domain      text collate "C",          -- null where it is starred mail of somebody else's
    held        bigint not null,           -- what counts for the account,
    starred     bigint not null,           -- of this what it has starred,
    owned       bigint not null,           -- what came to its own addresses and domains,
    unread      bigint not null,           -- of this what is not marked as read
    bytes       bigint not null,           -- of what it holds, and of what it owns
    owned_bytes bigint not null
);
create index count_change_account on count_change (account);
-- Rows come and go; what is dead is passed over by everybody who counts.
alter table count_change set (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_threshold = -1,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000
);

create table mail_count (
    account     text collate "C" not null,   -- '': public mail; '*': all mail
    domain      text collate "C" not null,   -- '': all that the account has
    held        bigint not null,
    starred     bigint not null,
    owned       bigint not null,
    unread      bigint not null,
    bytes       bigint not null,
    owned_bytes bigint not null,
    primary key (account, domain)
) with (fillfactor = 70);
create index mail_count_nothing on mail_count (account, domain) where held = 0;

-- Three triggers, of one text: what is to be counted of a statement's rows, each n times.
do $make$
declare
    counting constant text := $text$
        create function %s() returns trigger language plpgsql as $body$
        begin
            insert into count_change
            select holder, case when own then domain end, sum(n),
                sum(case when saved_by is null then 0 else n end),
                sum(case when own then n else 0 end),
                sum(case when own and read is not true then n else 0 end),
                sum(n * bytes), sum(case when own then n * bytes else 0 end)
            from (
                select n, domain, saved_by, read, message_bytes(bytes, facts) as bytes,
                    coalesce(saved_by, owner, '') as holder,
                    coalesce(owner = coalesce(saved_by, owner), false) as own
                from (%s) changed
            ) counted
            group by 1, 2
            having sum(n) <> 0 or sum(case when own and read is not true then n else 0 end) <> 0
                or sum(case when saved_by is null then 0 else n end) <> 0;
            return null;
        end
        $body$ $text$;
begin
    execute format(counting, 'count_added', 'select 1 as n, * from added');
    execute format(counting, 'count_removed', 'select -1 as n, * from removed');
    execute format(counting, 'count_changed',
                   'select 1 as n, * from added union all select -1, * from removed');
end
$make$;
create trigger count_added after insert on message
    referencing new table as added for each statement execute function count_added();
create trigger count_removed after delete on message
    referencing old table as removed for each statement execute function count_removed();
create trigger count_changed after update on message
    referencing old table as removed new table as added
    for each statement execute function count_changed();

-- All of it from the messages themselves: what the counts have to be.
create function counted_anew()
returns table (account text, domain text, held bigint, starred bigint, owned bigint,
               unread bigint, bytes bigint, owned_bytes bigint) stable language sql as $$
    select coalesce(holder, '*'), coalesce(own_domain, ''), count(*), count(saved_by),
        count(*) filter (where own), count(*) filter (where own and read is not true),
        sum(bytes)::bigint, coalesce(sum(bytes) filter (where own), 0)::bigint
    from (
        select saved_by, read, message_bytes(bytes, facts) as bytes,
            coalesce(saved_by, owner, '') as holder,
            coalesce(owner = coalesce(saved_by, owner), false) as own,
            case when owner = coalesce(saved_by, owner) then message.domain end as own_domain
        from message
    ) counted
    group by grouping sets ((), (holder), (holder, own_domain))
    having count(*) > 0 and (grouping(own_domain) = 1 or own_domain is not null)
$$;
insert into mail_count select * from counted_anew();
