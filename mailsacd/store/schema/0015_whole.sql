-- A message is whole when it is stored. What an older version had put off was worked out just before
-- this, in the same transaction or in ones before it: mailsacd/mail/upgrading/unexamined.py.

drop table unexamined;
