-- The Headscale user that somebody says is theirs, until it is confirmed or declined.
alter table person add column claim_user text;
alter table person add column claim_fingerprint text;

-- What an entry about a change says of the state before and after it.
alter table audit add column before text;
alter table audit add column after text;
