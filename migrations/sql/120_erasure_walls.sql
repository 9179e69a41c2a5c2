-- Policies and grants of erasure; after 110, which takes every right away first.

do $$
declare
  t text;
  p text;
  may constant text :=
    '(exists (select 1 from case_access a where a.case_id = %1$s'
    ' and a.principal = any ((select app_principals())::uuid[])'
    ' and (a.expires_at is null or a.expires_at > (select app_now())) and a.via <> ''liaison'' offset 0)'
    ' and %1$s <> all ((select app_excluded_cases())::uuid[]))';
begin
  foreach t in array array['erasure_requests', 'legal_holds', 'erasure_ledger'] loop
    for p in select policyname from pg_policies where schemaname = 'public' and tablename = t loop
      execute format('drop policy %I on %I', p, t);  -- 100 did so with those of an earlier version; this file may run alone
    end loop;
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
  end loop;

  -- A wish and a hold are seen as the case is, by no liaison; made and ended by who may, in the own name.
  execute 'create policy see on erasure_requests for select to samaki_runtime using ' || format(may, 'erasure_requests.case_id');
  execute 'create policy add on erasure_requests for insert to samaki_runtime
             with check (created_by = app_user_id() and app_may_erase(case_id))';
  execute 'create policy change on erasure_requests for update to samaki_runtime using (app_may_erase(case_id))';
  execute 'create policy see on legal_holds for select to samaki_runtime using ' || format(may, 'legal_holds.case_id');
  execute 'create policy add on legal_holds for insert to samaki_runtime
             with check (created_by = app_user_id() and app_may_hold(case_id))';
  execute 'create policy change on legal_holds for update to samaki_runtime using (app_may_hold(case_id))';

  -- The ledger: the worker copies it into its file. Nobody else reads which cases there were.
  execute 'create policy copy on erasure_ledger for select to samaki_worker using (true)';

  -- Erasure empties every table with a case_id, also those that were not thought of when it was written.
  for t in select c.oid::regclass::text from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace in ('public'::regnamespace, 'vault'::regnamespace) and c.relkind in ('r', 'p')
              and a.attname = 'case_id' and not a.attisdropped and c.relname <> 'erasure_ledger' loop
    execute format('grant select, delete on %s to samaki_definer', t);
  end loop;
end
$$;

grant update on people, events to samaki_definer;
grant select, insert, delete on person_links to samaki_definer;
grant select, delete on idempotency_keys to samaki_definer;
grant select on events to samaki_definer;
grant insert on legal_holds to samaki_definer;
grant select, insert on erasure_ledger to samaki_definer;

grant select, insert on erasure_requests, legal_holds to samaki_runtime;
grant update (withdrawn_at, withdrawn_by) on erasure_requests to samaki_runtime;
grant update (lifted_at, lifted_by) on legal_holds to samaki_runtime;

grant select on erasure_ledger to samaki_worker;
grant select (erased_at) on cases to samaki_reports;
