-- Where a client is hidden (access.md): lead and assigned read it, a cover may write it anew and cannot open it, and
-- nobody else comes near, whatever else they see of the case. Every record has a key of its own, which goes with it.
-- After 100 and 110, which take all policies and rights away first.

set local role samaki_definer;  -- who owns what follows

create or replace function on_whereabouts_gone() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  delete from vault.data_keys where home = old.id;
  return null;
end
$$;
revoke all on function on_whereabouts_gone() from public;
grant execute on function on_whereabouts_gone() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

create or replace trigger whereabouts_gone after delete on whereabouts
  for each row execute function on_whereabouts_gone();

alter table whereabouts enable row level security;
alter table whereabouts force row level security;

do $$
declare
  -- %1$s: the column with the case's id; %2$s: the ways in that count.
  by_way constant text :=
    '(exists (select 1 from case_access a where a.case_id = %1$s'
    ' and a.principal = any ((select app_principals())::uuid[])'
    ' and (a.expires_at is null or a.expires_at > (select app_now())) and a.via in (%2$s) offset 0)'
    ' and %1$s <> all ((select app_excluded_cases())::uuid[]))';
  read_by constant text := '''lead'', ''assigned''';
  written_by constant text := '''lead'', ''assigned'', ''cover''';
begin
  execute 'create policy definer on whereabouts to samaki_definer using (true) with check (true)';
  -- The row is seen by who writes it, for its version; what is in it opens with the key alone.
  execute 'create policy see on whereabouts for select to samaki_runtime
             using ' || format(by_way, 'whereabouts.case_id', written_by);
  execute 'create policy add on whereabouts for insert to samaki_runtime
             with check (created_by = app_user_id() and ' || format(by_way, 'whereabouts.case_id', written_by) || ')';
  execute 'create policy remove on whereabouts for delete to samaki_runtime
             using ' || format(by_way, 'whereabouts.case_id', written_by);
  execute 'create policy see_whereabouts on vault.data_keys for select to samaki_runtime
             using (part = ''whereabouts'' and ' || format(by_way, 'data_keys.case_id', read_by) || ')';
  execute 'create policy add_whereabouts on vault.data_keys for insert to samaki_runtime
             with check (part = ''whereabouts'' and ' || format(by_way, 'data_keys.case_id', written_by) || ')';
end
$$;

grant select, insert, delete on whereabouts to samaki_runtime;
