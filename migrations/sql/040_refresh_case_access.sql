-- case_access is derived here and nowhere else.

set local role samaki_definer;  -- who owns what follows

create or replace function refresh_case_access(the_case uuid) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  -- One writer per case: without the lock, two changes at once would each derive from half of the truth.
  perform from cases where id = the_case for no key update;
  update cases c
     set lead_id = lead.user_id
    from (select (select f.user_id from fitting_assignments f where f.case_id = the_case and f.role = 'lead') as user_id) lead
   where c.id = the_case and c.lead_id is distinct from lead.user_id
     -- a case that is being opened names its lead a moment before the assignment exists
     and not (lead.user_id is null and c.opened_xid = pg_current_xact_id()
              and not exists (select from assignments a where a.case_id = the_case and a.role = 'lead'));
  delete from case_access a
   where a.case_id = the_case
     and not exists (select from case_access_rows r where r.case_id = the_case and r.principal = a.principal);
  insert into case_access as a (principal, case_id, mode, via, expires_at, opened_at, status, category)
  select r.principal, r.case_id, r.mode, r.via, r.expires_at, r.opened_at, r.status, r.category
    from case_access_rows r
   where r.case_id = the_case
  on conflict (principal, case_id) do update
     set mode = excluded.mode, via = excluded.via, expires_at = excluded.expires_at,
         opened_at = excluded.opened_at, status = excluded.status, category = excluded.category
   where (a.mode, a.via, a.expires_at, a.opened_at, a.status, a.category)
         is distinct from (excluded.mode, excluded.via, excluded.expires_at, excluded.opened_at, excluded.status, excluded.category);
end
$$;

-- Ends what no longer fits: withdrawn or lapsed consent, another commune, a person moved or deactivated.
create or replace function end_unfit_assignments(the_case uuid, why text) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform from cases where id = the_case for no key update;
  with ended as (
    update assignments a
       set ended_at = app_now(), ended_by = app_user_id(), end_reason = why
     where a.case_id = the_case and a.ended_at is null
       and not exists (select from fitting_assignments f where f.case_id = the_case and f.id = a.id)
    returning a.id, a.organisation_id, a.role
  )
  insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data)
  select gen_random_uuid(), the_case, e.organisation_id, 'assignment.ended', 'caseworkers', app_now(), app_user_id(),
         e.id, jsonb_build_object('role', e.role, 'reason', why)
    from ended e;
  update break_glass_grants g
     set ended_at = app_now()
    from users u
   where g.case_id = the_case and g.ended_at is null and u.id = g.user_id
     and (u.active and u.role in ('caseworker', 'supervisor') and u.organisation_id = g.organisation_id) is not true;
end
$$;

create or replace function on_case_changed() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and new.commune_code is distinct from old.commune_code then
    perform end_unfit_assignments(new.id, 'moved_commune');
  end if;
  perform refresh_case_access(new.id);
  return null;
end
$$;

create or replace function on_part_of_case_changed() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform refresh_case_access(new.case_id);
  return null;
end
$$;

create or replace function on_consent_changed() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if tg_when = 'BEFORE' then
    -- A new consent revives nobody whose support had already lapsed: assigning is a decision of its own.
    perform end_unfit_assignments(new.case_id, 'consent_ended');
    return new;
  end if;
  perform end_unfit_assignments(new.case_id, 'consent_ended');
  perform refresh_case_access(new.case_id);
  return null;
end
$$;

create or replace function on_user_changed() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  touched uuid;
begin
  for touched in
    select a.case_id from assignments a where a.user_id = new.id and a.ended_at is null
    union
    select g.case_id from break_glass_grants g where g.user_id = new.id and g.ended_at is null
    order by 1  -- always the same order, so that two of these cannot deadlock
  loop
    perform end_unfit_assignments(touched, 'user_changed');  -- what it ends is derived anew by the triggers
  end loop;
  return null;
end
$$;

-- The worker's tick: what ended with time alone leaves the table too (it gave no access since it expired).
create or replace function sweep_expired_access(at_most int) returns int
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  touched uuid;
  swept int := 0;
begin
  for touched in
    select distinct a.case_id from case_access a where a.expires_at <= app_now() order by 1 limit at_most
  loop
    perform end_unfit_assignments(touched, 'expired');
    perform refresh_case_access(touched);
    swept := swept + 1;
  end loop;
  return swept;
end
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'refresh_case_access(uuid)', 'end_unfit_assignments(uuid, text)', 'on_case_changed()', 'on_part_of_case_changed()',
    'on_consent_changed()', 'on_user_changed()', 'sweep_expired_access(int)'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
end
$$;
grant execute on function sweep_expired_access(int) to samaki_worker;
-- The owner of the tables makes the triggers.
grant execute on function on_case_changed(), on_part_of_case_changed(), on_consent_changed(), on_user_changed() to samaki_owner;

reset role;

-- The loader writes a million cases by COPY and fills case_access from the view once, at the end.
create or replace trigger case_opened after insert on cases
  for each row when (current_user <> 'samaki_loader') execute function on_case_changed();
create or replace trigger case_changed after update of sensitivity, status, category, commune_code, opened_at on cases
  for each row when (current_user <> 'samaki_loader') execute function on_case_changed();
create or replace trigger assignment_changed after insert or update on assignments
  for each row when (current_user <> 'samaki_loader') execute function on_part_of_case_changed();
create or replace trigger grant_changed after insert or update on break_glass_grants
  for each row when (current_user <> 'samaki_loader') execute function on_part_of_case_changed();
create or replace trigger consent_coming before insert on consents
  for each row when (new.purpose = 'ccwc_support' and current_user <> 'samaki_loader') execute function on_consent_changed();
create or replace trigger consent_changed after insert or update on consents
  for each row when (new.purpose = 'ccwc_support' and current_user <> 'samaki_loader') execute function on_consent_changed();
create or replace trigger user_changed after update of role, organisation_id, communes, active on users
  for each row execute function on_user_changed();
