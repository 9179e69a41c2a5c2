-- The database roles of access.md. Run by `samaki migrate` as a superuser (or given to the database administrator):
-- idempotent, no passwords. Every login connects either as its role or with `options=-c role=<role>`.
do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('samaki_owner',    'login noinherit'),  -- is not the definer: it takes the role to make the functions
      ('samaki_definer',  'nologin'),   -- owns the definer functions; policies name it, it bypasses nothing
      ('samaki_runtime',  'login'),
      ('samaki_worker',   'login'),
      ('samaki_reports',  'login'),
      ('samaki_backup',   'login bypassrls'),
      ('samaki_loader',   'login bypassrls')
    ) as roles (name, options)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      begin
        execute format('create role %I %s', wanted.name, wanted.options);
      exception
        when duplicate_object or unique_violation then null;  -- another database of this server was being set up
      end;
    end if;
  end loop;
end
$$;
-- Roles belong to the whole server, and other databases of it may be at this very point: change only what is not yet so.
do $$
declare
  r text;
begin
  -- Were this membership inherited, the definer's policies would show the owner every case.
  if (select rolinherit from pg_roles where rolname = 'samaki_owner') then
    alter role samaki_owner noinherit;
  end if;
  if not pg_has_role('samaki_owner', 'samaki_definer', 'member') then
    grant samaki_definer to samaki_owner;
  end if;
  foreach r in array array['samaki_runtime', 'samaki_worker'] loop
    if not exists (select from pg_db_role_setting s join pg_roles on pg_roles.oid = s.setrole
                    where rolname = r and setdatabase = 0 and 'jit=off' = any (setconfig)) then
      execute format('alter role %I set jit = off', r);
    end if;
  end loop;
end
$$;

-- In the database at hand: the owner makes the tables, and hands functions to the definer, who must be able to own them.
grant usage, create on schema public to samaki_owner, samaki_definer;
grant usage on schema public to samaki_runtime, samaki_worker, samaki_reports, samaki_backup, samaki_loader;

-- Load data are right by construction: the loader may skip the look-up behind every foreign key, which halves its time.
-- Where the administrator may not grant this, the loader goes the slower way.
do $$
begin
  if not has_parameter_privilege('samaki_loader', 'session_replication_role', 'SET') then
    grant set on parameter session_replication_role to samaki_loader;
  end if;
exception
  when insufficient_privilege then null;
end
$$;
