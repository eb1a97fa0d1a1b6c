-- What makes any search of an account's mail short.

-- The few messages that are marked as read.
create index message_read on message (owner, id) where read is true and owner is not null;

-- The entries of the search index of which a text of two bytes is the beginning or the end: each text
-- with it has one of them.
create function search_grams_around(owner text, word text) returns bigint[]
immutable parallel safe language sql as $$
    select array(
        select account + case when ends then x << 16 | pair else pair << 8 | x end
        from (
            select (search_grams(owner, '   '))[1] >> 24 << 24 as account,
                get_byte(bytes, 0)::bigint << 8 | get_byte(bytes, 1) as pair
            from convert_to(word, 'UTF8') bytes
        ) searched, generate_series(0::bigint, 255) x, unnest(array[false, true]) ends)
$$;
