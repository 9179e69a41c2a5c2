-- May the caller see the home of this person: the case, or the register of the own organisation? The row policies of
-- people decide; this is asked before they are, because they begin to work only when there is a row, and a hidden
-- person would so take longer than one that does not exist.
set local role samaki_definer;  -- who owns what follows

create or replace function app_sees_home_of(the_person uuid) returns boolean
  language plpgsql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  home uuid;
  register uuid;
begin
  select p.case_id, case when p.case_id is null then p.organisation_id end into home, register
    from people p where p.id = the_person;
  home := coalesce(home, the_person);  -- that is no case: nothing is found there, by the same steps
  return home <> all (app_excluded_cases())
     and (exists (select from case_access a
                   where a.case_id = home and a.principal = any (app_principals())
                     and (a.expires_at is null or a.expires_at > app_now()))
          or (register = app_organisation_id() and app_role() in ('caseworker', 'supervisor')) is true);
end
$$;
revoke all on function app_sees_home_of(uuid) from public;
grant execute on function app_sees_home_of(uuid) to samaki_runtime;

reset role;
