-- Cases without a lead for which nobody can name one, because every supervisor of their organisation is kept away
-- (decision 0030): how many in all organisations together, for the numbers at /metrics. Only who runs the service learns
-- it, and neither of which case nor of which organisation.
-- After 110, which takes all rights away first.

set local role samaki_definer;  -- who owns what follows

create or replace function stranded_cases() returns bigint
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select count(*) from cases c
   where c.lead_id is null and c.status <> 'closed' and c.erased_at is null
     and not exists (select from users u
                      where u.organisation_id = c.organisation_id and u.role = 'supervisor' and u.active
                        and not is_excluded(u.id, c.id))
     and not exists (select from fitting_assignments f where f.case_id = c.id and f.role = 'reviewer')
$$;

revoke all on function stranded_cases() from public;
grant execute on function stranded_cases() to samaki_runtime;

reset role;
