-- Messages from before 0010 have no size for POP3, and nobody but the daemon can unpack them.
comment on column raw_message.wire_size is
    'how many octets POP3 sends, stuffed dots aside; null until somebody has asked';
