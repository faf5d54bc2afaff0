-- What somebody's role followed from when the source of their identity last decided it.
alter table person add column role_note text;
