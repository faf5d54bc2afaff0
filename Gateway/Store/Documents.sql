create table document (
    id text primary key,
    version integer not null check (version > 0),
    json text not null
) strict, without rowid;

-- What no two documents may have.
create table document_key (
    key text primary key,
    id text not null references document (id) deferrable initially deferred
) strict, without rowid;

create index document_key_of on document_key (id);
