-- Where an organisation has nobody who could decide, a supervisor of another signatory organisation acts (access.md): the
-- case's lead asks for her by name, an admin, who learns nothing of the case, completes it. What follows is an assignment
-- like any reviewer's; 030 lets her hold it, and app_lent_cases() (050) lets her oversee the case while it lasts.
-- After 110, which takes all rights away first.

set local role samaki_definer;  -- who owns what follows

-- Has the organisation nobody who could act here? Nobody at all who is not kept away from the case, or nobody for one of
-- the things that wait for a second person: who asked for it does not decide it, and of a sensitive case neither does the
-- supervisor who leads it. Who was lent before is counted among those who could.
create or replace function outside_review_is_needed(the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  with the as (select c.* from cases c where c.id = the_case and c.erased_at is null),
  able as (
    select u.id, c.sensitivity = 'standard' or u.id is distinct from c.lead_id as decides
      from the c join users u on u.organisation_id = c.organisation_id
     where u.role = 'supervisor' and u.active and not u.system and not is_excluded(u.id, c.id)
    union all
    select f.user_id, true
      from the c
      join fitting_assignments f on f.case_id = c.id and f.role = 'reviewer'
      join outside_reviews r on r.assignment_id = f.id),
  waiting as (
    select array[c.closure_requested_by] as barred, true as decided
      from the c where c.status = 'closure_requested' and c.sensitivity = 'sensitive'
    union all
    select array[q.created_by, q.first_approved_by], true
      from the c join assistance_requests q on q.case_id = c.id where q.status = 'submitted'
    union all
    select '{}', true from the c where c.death_review_due_at is not null
    union all
    select array[g.user_id], false
      from the c join break_glass_grants g on g.case_id = c.id where g.reviewed_at is null)
  select exists (select from the)
     and (not exists (select from able)
          or exists (select from waiting w
                      where not exists (select from able a
                                         where a.id <> all (array_remove(w.barred, null))
                                           and (a.decides or not w.decided))))
$$;

-- May this person come to review it? Of another organisation that signed, and nobody who must never see it.
create or replace function outside_review_fits(the_case uuid, the_user uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from cases c
                   join users u on u.id = the_user
                   join organisations o on o.id = u.organisation_id
                  where c.id = the_case and u.role = 'supervisor' and u.active and not u.system
                    and o.signatory and o.active and o.id <> c.organisation_id)
$$;

-- What the lead's wish would come to: 'needed', 'others_can_act', 'not_fitting', 'kept_away'; null for who does not lead
-- the case.
create or replace function may_ask_outside(the_case uuid, the_user uuid) returns text
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select case when not app_leads(the_case) then null
              when not outside_review_fits(the_case, the_user) then 'not_fitting'
              when is_excluded(the_user, the_case) then 'kept_away'
              when not outside_review_is_needed(the_case) then 'others_can_act'
              else 'needed' end
$$;

-- What waits for an admin, newest first: what could be completed now, and nothing of the case.
create or replace function outside_reviews_waiting(
    only_review uuid default null, before_at timestamptz default null, before_id uuid default null, at_most int default 50)
  returns table (id uuid, organisation_id uuid, organisation text, user_id uuid, user_name text, created_at timestamptz)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select r.id, r.organisation_id, o.name::text, r.user_id, u.display_name::text, r.created_at
    from outside_reviews r
    join organisations o on o.id = r.organisation_id
    join users u on u.id = r.user_id
   where app_role() = 'admin'
     and r.withdrawn_at is null and r.completed_at is null
     and (only_review is null or r.id = only_review)
     and (before_at is null or (r.created_at, r.id) < (before_at, before_id))
     and u.organisation_id = r.lender_id
     and exists (select from cases c where c.id = r.case_id and c.lead_id = r.created_by)
     and outside_review_fits(r.case_id, r.user_id)
     and not is_excluded(r.user_id, r.case_id)
     and outside_review_is_needed(r.case_id)
   order by r.created_at desc, r.id desc
   limit least(at_most, 201)
$$;

-- The admin's yes. False when nothing of the kind waits (any more).
create or replace function complete_outside_review(the_review uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  r outside_reviews;
  new_id constant uuid := gen_random_uuid();
begin
  select x.* into r from outside_reviews x
   where x.id = the_review and exists (select from outside_reviews_waiting(only_review => the_review));
  if r.id is null then
    return false;
  end if;
  -- In the order of every assignment: the user, then the case. Both may have been waited for.
  perform from users where id = r.user_id for share;
  perform from cases where id = r.case_id for no key update;
  update outside_reviews
     set completed_at = app_now(), completed_by = app_user_id(), assignment_id = new_id
   where id = r.id and exists (select from outside_reviews_waiting(only_review => r.id));
  if not found then
    return false;
  end if;
  insert into assignments (id, case_id, organisation_id, user_id, role, until, created_at, created_by)
  values (new_id, r.case_id, r.organisation_id, r.user_id, 'reviewer', app_now() + interval '7 days', app_now(),
          app_user_id());
  insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data)
  values (gen_random_uuid(), r.case_id, r.organisation_id, 'assignment.added', 'caseworkers', app_now(), app_user_id(),
          new_id, jsonb_build_object('role', 'reviewer', 'user_id', r.user_id));
  return true;
end
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'outside_review_is_needed(uuid)', 'outside_review_fits(uuid, uuid)', 'may_ask_outside(uuid, uuid)',
    'outside_reviews_waiting(uuid, timestamptz, uuid, int)', 'complete_outside_review(uuid)'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
end
$$;
grant execute on function may_ask_outside(uuid, uuid), outside_reviews_waiting(uuid, timestamptz, uuid, int),
  complete_outside_review(uuid) to samaki_runtime;

reset role;

alter table outside_reviews enable row level security;
alter table outside_reviews force row level security;

do $$
declare
  p text;
begin
  for p in select policyname from pg_policies where schemaname = 'public' and tablename = 'outside_reviews' loop
    execute format('drop policy %I on outside_reviews', p);  -- this file may run alone
  end loop;
  create policy definer on outside_reviews to samaki_definer using (true) with check (true);
  -- Why it was asked may say who is kept away: seen as exclusions are. What comes of it only the function above writes.
  create policy see on outside_reviews for select to samaki_runtime
    using (exists (select 1 from case_access a where a.case_id = outside_reviews.case_id
                      and a.principal = any ((select app_principals())::uuid[])
                      and (a.expires_at is null or a.expires_at > (select app_now())) offset 0)
           and case_id <> all ((select app_excluded_cases())::uuid[])
           and (app_leads(case_id) or app_supervises(case_id)));
  create policy add on outside_reviews for insert to samaki_runtime
    with check (created_by = app_user_id() and app_leads(case_id) and assignment_id is null and completed_at is null);
  create policy change on outside_reviews for update to samaki_runtime using (app_leads(case_id) and completed_at is null);
end
$$;

grant select, insert on outside_reviews to samaki_runtime;
grant update (withdrawn_at) on outside_reviews to samaki_runtime;
grant select, update, delete on outside_reviews to samaki_definer;
grant insert on assignments to samaki_definer;
