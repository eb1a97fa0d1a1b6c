-- What is beyond a limit, as functions: a statement calls them when it meets a row that they are for.
-- As parts of the text of each statement that reads mail they took longer to be begun than all the rest.

-- The newest id of an inbox that is not among its newest public ones; '' when there is none. To find
-- it so many rows are looked at as an inbox may have, so a limit above 10,000 is none.
create function beyond_inbox(name text) returns text stable language plpgsql as $$
begin
    return coalesce((
        select found.id from retention cross join lateral (
            select id from message
            where inbox = name and owner is null and saved_by is null
                -- A node whose clock was wrong is not to fill an inbox with what stays the newest
                and received < now() + interval '1 day'
            order by id desc offset public_per_inbox limit 1
        ) found
        where public_per_inbox <= 10000), '');
end
$$;

-- What an account holds, and how much that may be. A plan that is gone is the default one.
create function standing(name text, out held bigint, out starred bigint, out most bigint)
stable language plpgsql as $$
begin
    select coalesce(sum(counted.held), 0), coalesce(sum(counted.starred), 0), (
        select coalesce((overrides ->> 'message_limit')::bigint,
                        (select message_limit from plan_limit where plan_limit.plan = account.plan),
                        (select message_limit from plan_limit where plan_limit.plan = ''))
        from account where account.name = standing.name)
    into held, starred, most
    from (select mail_count.held, mail_count.starred from mail_count
          where account = name and domain = ''
          union all
          select count_change.held, count_change.starred from count_change
          where account = name) counted;
end
$$;

-- The newest id of an account's unstarred messages that are beyond its limit, or of its starred ones;
-- '' when there is none. It is looked for from the end that it is nearer to.
create function beyond_account(name text, of_starred boolean) returns text
stable language plpgsql as $$
declare
    has  record := standing(name);
    have bigint := has.held - has.starred;
    keep bigint := greatest(has.most - has.starred, 0);
begin
    if of_starred then
        have := has.starred;
        keep := has.most;
    end if;
    if has.most is null or have <= keep then
        return '';
    elsif of_starred and have - keep <= keep then
        return (select id from message where saved_by = name
                order by id offset have - keep - 1 limit 1);
    elsif of_starred then
        return (select id from message where saved_by = name
                order by id desc offset keep limit 1);
    elsif have - keep <= keep then
        return (select id from message where owner = name and saved_by is null
                order by id offset have - keep - 1 limit 1);
    else
        return (select id from message where owner = name and saved_by is null
                order by id desc offset keep limit 1);
    end if;
end
$$;
