-- The mail of an account by folder and label. What nobody has filed is in neither index, so taking
-- mail in costs no more; the inbox itself is listed by message_owner.
create index message_filed on message (owner, folder, id) where owner is not null and folder <> 'inbox';
create index message_labelled on message (owner, id) where owner is not null and labels <> '{}';
