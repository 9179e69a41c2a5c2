-- What a supervisor may know of the organisation's cases without seeing them: never category, commune, client, risk,
-- priority or a time more exact than a week.
set local role samaki_definer;  -- who owns what follows

create or replace function case_stubs(
    only_case uuid default null, without_lead boolean default false, of_lead uuid default null,
    after_case uuid default null, at_most int default 50)
  returns table (id uuid, code text, organisation_id uuid, lead_id uuid, lead_name text, status text,
                 next_due_week text, overdue boolean, needs_review boolean)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select c.id, c.code::text, c.organisation_id, c.lead_id, u.display_name::text, c.status::text,
         to_char(least(c.next_due_at, c.death_review_due_at) at time zone 'Asia/Phnom_Penh', 'IYYY"-W"IW'),
         coalesce(date_trunc('week', least(c.next_due_at, c.death_review_due_at) at time zone 'Asia/Phnom_Penh')
                  < date_trunc('week', app_now() at time zone 'Asia/Phnom_Penh'), false),
         c.status = 'closure_requested' or c.lead_id is null or c.death_review_due_at is not null or c.escalated_at is not null
           or (c.risk_level = 'high' and exists (select from risk_changes r where r.case_id = c.id
                                                    and r.review_due_at is not null and r.reviewed_at is null))
           or exists (select from assistance_requests q where q.case_id = c.id and q.status = 'submitted')
           or exists (select from consents k where k.case_id = c.id and k.bypass_until > app_now()
                                               and k.bypass_confirmed_at is null and k.withdrawn_at is null)
           or exists (select from disclosures d where d.case_id = c.id and d.confirmed_by is null)
    from cases c
    left join users u on u.id = c.lead_id
   where app_role() = 'supervisor'
     and c.organisation_id = app_organisation_id()
     and c.erased_at is null
     and (only_case is null or c.id = only_case)
     and (only_case is not null or c.status <> 'closed' or c.death_review_due_at is not null)
     and (not without_lead or c.lead_id is null)
     and (of_lead is null or c.lead_id = of_lead)
     and (after_case is null or c.id > after_case)
     and c.id <> all ((select app_excluded_cases())::uuid[])
   order by c.id
   limit least(at_most, 201)
$$;

-- The receipt of somebody who opened a case and may not read it: id and code, unless excluded since. Who worked on it
-- and does no more is told what everybody else is told.
create or replace function case_receipt(the_case uuid) returns table (id uuid, code text)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select c.id, c.code::text from cases c
   where c.id = the_case and c.created_by = app_user_id() and c.erased_at is null and not is_excluded(app_user_id(), c.id)
     and (exists (select from case_access a where a.case_id = c.id and a.principal = any (app_principals())
                     and (a.expires_at is null or a.expires_at > app_now()))
          or not exists (select from assignments a where a.case_id = c.id and a.user_id = app_user_id()))
$$;

do $$
declare
  f text;
begin
  foreach f in array array['case_stubs(uuid, boolean, uuid, uuid, int)', 'case_receipt(uuid)'] loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
end
$$;

reset role;
