-- What ends with the client's death, the consent on which all care rests, and what was told outside, by two people.
-- After 100 and 110, which take all policies and rights away first.

set local role samaki_definer;  -- who owns what follows

-- Her consent to services as it stands now, in parts: whether the parts are enough follows from her age, which is sealed.
-- Also for a liaison, who sees no consent and must not plan a contact without one. `ended`: one was withdrawn or is over.
-- A bypass of the caregiver counts at once and for 24 hours, for good once a second person confirms it; whoever let one
-- lapse cannot go on with another unconfirmed one.
create or replace function services_consent(the_case uuid)
  returns table (client boolean, caregiver boolean, bypass boolean, ended boolean)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  with given as (
    select k.given_by, k.caregiver_doubted_at, k.bypass_until, k.bypass_confirmed_at,
           k.withdrawn_at is null
             and (k.expires_on is null or (k.expires_on + 1)::timestamp at time zone 'Asia/Phnom_Penh' > app_now()) as stands
      from consents k
     where k.case_id = the_case and k.purpose = 'services'
       and (app_just_opened(the_case) or exists (select from app_ways(the_case)))
  )
  select coalesce(bool_or(g.stands and g.given_by in ('client', 'client_and_caregiver')), false),
         coalesce(bool_or(g.stands and g.given_by in ('caregiver', 'client_and_caregiver')
                          and g.caregiver_doubted_at is null), false),
         coalesce(bool_or(g.stands and (g.bypass_confirmed_at is not null
                          or (g.bypass_until > app_now()
                              and not exists (select from given l where l.bypass_until <= app_now()
                                                                    and l.bypass_confirmed_at is null)))), false),
         coalesce(bool_or(not g.stands), false)
    from given g
$$;

-- May the caller be the second person: who works on the case or oversees it, seeing it.
create or replace function app_may_confirm(the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from app_ways(the_case) w
                  where w.mode <> 'read' and w.via not in ('liaison', 'break_glass'))
$$;

-- The second person's yes to the bypass of a caregiver: 'confirmed', 'same_person', 'lapsed', or null where none waits.
create or replace function confirm_bypass(the_case uuid, the_consent uuid) returns text
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  k consents;
begin
  if not app_may_confirm(the_case) then
    return null;
  end if;
  select * into k from consents c where c.id = the_consent and c.case_id = the_case for update;
  if k.bypass_until is null or k.bypass_confirmed_at is not null or k.withdrawn_at is not null then
    return null;
  end if;
  if k.created_by = app_user_id() then
    return 'same_person';
  end if;
  if k.bypass_until <= app_now() then
    return 'lapsed';
  end if;
  update consents
     set bypass_confirmed_at = app_now(), bypass_confirmed_by = app_user_id(), version = version + 1, updated_at = app_now()
   where id = k.id;
  return 'confirmed';
end
$$;

-- The client has died: nobody goes to her door any more, nothing that she agreed to lasts, and a supervisor looks within
-- 72 hours. Once recorded it is not undone by returning the closure: what she agreed to is asked anew.
create or replace function on_client_died_ends() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update cases set death_review_due_at = app_now() + interval '72 hours' where id = new.id and death_review_due_at is null;
  update follow_ups
     set ended_at = app_now(), updated_at = app_now(), version = version + 1
   where case_id = new.id and happened_at is null and ended_at is null;
  -- Covers before consents: the withdrawal below ends the liaisons, and tells of it by itself.
  with ended as (
    update assignments
       set ended_at = app_now(), ended_by = app_user_id(), end_reason = 'client_died'
     where case_id = new.id and ended_at is null and role = 'cover'
    returning id, organisation_id, role
  )
  insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data)
  select gen_random_uuid(), new.id, e.organisation_id, 'assignment.ended', 'caseworkers', app_now(), app_user_id(), e.id,
         jsonb_build_object('role', e.role, 'reason', 'client_died')
    from ended e;
  update consents
     set withdrawn_at = app_now(), withdrawn_by = app_user_id(), updated_at = app_now(), version = version + 1
   where case_id = new.id and withdrawn_at is null;
  insert into events (id, case_id, organisation_id, type, audience, at, actor_id, data)
  values (gen_random_uuid(), new.id, new.organisation_id, 'case.client_died', 'caseworkers', app_now(), app_user_id(), '{}');
  return null;
end
$$;

do $$
declare
  f text;
begin
  foreach f in array array['services_consent(uuid)', 'app_may_confirm(uuid)', 'confirm_bypass(uuid, uuid)'] loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
end
$$;
revoke all on function on_client_died_ends() from public;
grant execute on function on_client_died_ends() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

create or replace trigger client_died_ends after update of closure_reason on cases
  for each row when (new.closure_reason = 'died' and old.closure_reason is distinct from 'died'
                     and current_user <> 'samaki_loader')
  execute function on_client_died_ends();

alter table disclosures enable row level security;
alter table disclosures force row level security;

do $$
declare
  p text;
  -- %1$s: a further condition on the access row.
  may constant text :=
    '(exists (select 1 from case_access a where a.case_id = disclosures.case_id'
    ' and a.principal = any ((select app_principals())::uuid[])'
    ' and (a.expires_at is null or a.expires_at > (select app_now())) and a.via <> ''liaison'' %1$s offset 0)'
    ' and disclosures.case_id <> all ((select app_excluded_cases())::uuid[]))';
begin
  for p in select policyname from pg_policies where schemaname = 'public' and tablename = 'disclosures' loop
    execute format('drop policy %I on disclosures', p);  -- 100 did so already; this file may run alone
  end loop;
  execute 'create policy definer on disclosures to samaki_definer using (true) with check (true)';
  execute 'create policy see on disclosures for select to samaki_runtime using ' || format(may, '');
  -- Written down by who works on the case, without the second person's name in it.
  execute 'create policy add on disclosures for insert to samaki_runtime with check (created_by = app_user_id()
             and confirmed_by is null and confirmed_at is null and ' || format(may, 'and a.mode = ''write''') || ')';
  -- Nobody confirms what is their own, or in another's name.
  execute 'create policy confirm on disclosures for update to samaki_runtime
             using (created_by <> app_user_id() and confirmed_by is null and app_may_confirm(case_id))
             with check (confirmed_by = app_user_id())';
end
$$;

grant select, insert on disclosures to samaki_runtime;
grant update (confirmed_at, confirmed_by, version, updated_at) on disclosures to samaki_runtime;
grant select, delete on disclosures to samaki_definer;
grant update on consents, follow_ups to samaki_definer;
grant update (caregiver_doubted_at) on consents to samaki_runtime;
grant update (death_review_due_at) on cases to samaki_runtime;
