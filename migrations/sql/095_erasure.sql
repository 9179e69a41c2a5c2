-- Erasure: who may ask and who confirms, what stops it, what is destroyed, and how a restored database is cleaned.
-- A case that is erased is seen by nobody (030, 050, 070); what is left of it is what reports count.

set local role samaki_definer;  -- who owns what follows

-- May the caller ask for erasure, confirm or withdraw it? The lead, and the supervisors who see the case as such.
create or replace function app_may_erase(the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from app_ways(the_case) w
                  where w.via = 'lead'
                     or (app_role() = 'supervisor' and w.mode <> 'read' and w.via in ('reviewer', 'organisation')))
$$;

-- May the caller place or lift a legal hold? Supervisors who see the case otherwise than through broken glass.
create or replace function app_may_hold(the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from app_ways(the_case) w
                  where app_role() = 'supervisor' and w.mode <> 'read' and w.via <> 'break_glass')
$$;

-- What keeps a case from being erased: 'legal_hold', 'review_pending' (an emergency access that nobody could review any
-- more afterwards), or null.
create or replace function erasure_stopped_by(the_case uuid) returns text
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select case when exists (select from legal_holds h where h.case_id = the_case and h.lifted_at is null) then 'legal_hold'
              when exists (select from break_glass_grants g where g.case_id = the_case and g.reviewed_at is null)
              then 'review_pending' end
$$;

-- Links tie this case's rows to the same human elsewhere. They go, and those whom they joined stay joined: an exclusion
-- still reaches every other case of the client.
create or replace function unlink_people_of(the_case uuid) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  own record;
  others uuid[];
begin
  for own in select p.id, p.created_by from people p where p.case_id = the_case order by p.id loop
    select coalesce(array_agg(distinct o.other order by o.other), '{}') into others
      from (select case when l.person_id = own.id then l.other_id else l.person_id end as other
              from person_links l where own.id in (l.person_id, l.other_id)) o
     where o.other not in (select p.id from people p where p.case_id = the_case);
    delete from person_links l where own.id in (l.person_id, l.other_id);
    insert into person_links (id, person_id, other_id, created_at, created_by)
    select gen_random_uuid(), others[1], o.other, app_now(), own.created_by
      from unnest(others[2:]) o (other)
     where not exists (select from person_links l
                        where (l.person_id, l.other_id) in ((others[1], o.other), (o.other, others[1])));
  end loop;
end
$$;

-- Destroys what is private of one case. The caller has locked the client graph and then the case. Every table with a
-- case_id loses its rows, whatever is in it, unless it is named here: what a later migration adds cannot be forgotten.
create or replace function erase_rows_of(the_case uuid) returns uuid[]
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  kept constant text[] := array['cases', 'people', 'events', 'case_exclusions', 'case_access', 'erasure_ledger',
                                  'home_visits', 'case_flow'];
  homes uuid[];
  t regclass;
begin
  select coalesce(array_agg(k.home order by k.home), '{}') into homes
    from vault.data_keys k where k.case_id = the_case or k.home = the_case;
  delete from idempotency_keys i
   where exists (select from (select the_case as id union all select p.id from people p where p.case_id = the_case
                               union all select r.id from referrals r where r.case_id = the_case) x
                  where position(x.id::text in i.location) > 0);
  perform unlink_people_of(the_case);
  for t in select c.oid::regclass from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace in ('public'::regnamespace, 'vault'::regnamespace) and c.relkind in ('r', 'p')
              and a.attname = 'case_id' and not a.attisdropped and c.relname <> all (kept)
            -- First what refers to others: a transfer before its consent.
            order by exists (select from pg_constraint f
                              where f.contype = 'f' and f.confrelid = c.oid and f.conrelid <> c.oid), c.relname loop
    execute format('delete from %s where case_id = $1', t) using the_case;
  end loop;
  -- A decision made here that stands on the client's other cases goes on there, and is explained nowhere any more.
  delete from case_exclusions e
   where e.case_id = the_case
     and not (e.id = e.origin_id
              and exists (select from case_exclusions o
                           where o.origin_id = e.id and o.case_id <> the_case and o.lifted_at is null));
  update case_exclusions set sealed = null, lift_sealed = null where case_id = the_case;
  -- A match goes with the case on which it could be answered. What it keeps away elsewhere stays away until two people
  -- lift it, as after a yes.
  update case_exclusions e set unanswered = false
    from case_exclusions o
   where o.id = e.origin_id and o.case_id = the_case and e.unanswered and e.lifted_at is null;
  -- A family that was visited was visited: the report counts it, and nobody sees any more what for.
  update home_visits
     set case_id = null, topics = '[]', outcome = 'no_need', next_visit_on = null, erased = true,
         version = version + 1, updated_at = app_now()
   where case_id = the_case;
  -- The steps of the case are counted by reports and stay; of everything else only that it happened.
  update events
     set sealed = null, subject_id = null, referral_id = null, partner_id = null,
         data = case when type = 'case.status_changed' then data else '{}' end
   where case_id = the_case;
  delete from people p where p.case_id = the_case and p.id <> (select c.client_id from cases c where c.id = the_case);
  update people
     set sealed = '', sex = 'unknown', household_id = null, version = version + 1, updated_at = app_now()
   where case_id = the_case;
  return homes;
end
$$;

-- Erases one case and writes the ledger's row. What reports count stays, its days coarsened to months, and no code that
-- somebody may have on paper leads to it.
create or replace function put_erasure(the_case uuid, entry erasure_ledger) returns erasure_ledger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  actor uuid := app_user_id();
begin
  entry.case_id := the_case;
  entry.homes := array(select distinct h from unnest(entry.homes || erase_rows_of(the_case)) h order by h);
  select c.organisation_id into entry.organisation_id from cases c where c.id = the_case;
  update cases c
     set erased_at = entry.at, sealed = '', lead_id = null, closure_requested_by = null, next_due_at = null,
         death_review_due_at = null,
         referred_from = null, priority = 'routine', risk_level = 'not_assessed',
         code = 'X' || left(replace(gen_random_uuid()::text, '-', ''), 11), version = c.version + 1, updated_at = entry.at,
         created_at = date_trunc('month', c.created_at at time zone 'Asia/Phnom_Penh') at time zone 'Asia/Phnom_Penh',
         closed_at = date_trunc('month', c.closed_at at time zone 'Asia/Phnom_Penh') at time zone 'Asia/Phnom_Penh',
         opened_at = date_trunc('month', c.opened_at at time zone 'Asia/Phnom_Penh') at time zone 'Asia/Phnom_Penh'
   where c.id = the_case and c.erased_at is null;
  if found then
    insert into events (id, case_id, organisation_id, type, audience, at, actor_id, data)
    values (gen_random_uuid(), the_case, entry.organisation_id, 'case.erased', 'caseworkers', app_now(), actor, '{}');
  end if;
  insert into erasure_ledger select entry.* on conflict (case_id) do nothing;
  return entry;
end
$$;

-- In the trail for what no request did: nobody's deed, with the reason.
create or replace function tell_erasure(the_case uuid, why text) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  e audit_events;
begin
  e.shard := audit_shard(uuid_send(the_case));
  e.kind := 'casework';
  e.action := 'erase_case';
  e.status := 204;
  e.reason := why;
  e.case_ids := array[the_case];
  e.via := '{}';
  e.counted := 1;
  perform put_audit_event(e);
end
$$;

-- The second person's yes to the wish that she has read: one asked anew meanwhile waits for a yes of its own. `outcome`: 'erased', 'legal_hold', 'review_pending', 'same_person', 'supervisor_needed', or
-- null where nothing waits for the caller.
create or replace function confirm_erasure(the_case uuid, the_wish uuid)
  returns table (outcome text, id uuid, homes uuid[], at timestamptz)
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
  wish erasure_requests;
  entry erasure_ledger;
begin
  if not app_may_erase(the_case) then
    return query select null::text, null::uuid, null::uuid[], null::timestamptz;
    return;
  end if;
  perform lock_client_graph();
  -- Not a lesser lock: the code is a key, and whoever refers to the case would be waited for with the lock in hand.
  perform from cases c where c.id = the_case for update;
  select * into wish from erasure_requests r where r.id = the_wish and r.case_id = the_case and r.withdrawn_at is null;
  -- Both may have been waited for: another's yes or withdrawal, and the end of the caller's own access.
  outcome := case when wish.id is null or not app_may_erase(the_case) then null
                  when wish.created_by = app_user_id() then 'same_person'
                  when app_role() <> 'supervisor'
                       and (select u.role from users u where u.id = wish.created_by) <> 'supervisor' then 'supervisor_needed'
                  else coalesce(erasure_stopped_by(the_case), 'erased') end;
  if outcome = 'erased' then
    entry.id := gen_random_uuid();
    entry.at := app_now();
    entry.basis := 'request';
    entry.reason_code := wish.reason_code;
    entry.requested_by := wish.created_by;
    entry.confirmed_by := app_user_id();
    entry := put_erasure(the_case, entry);
  end if;
  return query select outcome, entry.id, entry.homes, entry.at;
end
$$;

-- Is the time of a closed case over? `days` says how long each category is kept, 0 for ever. An intake closed as declined
-- or not eligible without her consent has seven days. A reopened case starts anew when it is closed again.
create or replace function due_case(days jsonb) returns uuid
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select due.id from (
    select c.id, c.closed_at
      from jsonb_each_text(days) as kept (category, days)
     cross join lateral (
       select c.id, c.closed_at from cases c
        where c.status = 'closed' and c.erased_at is null and c.category = kept.category and kept.days::int > 0
          and c.closed_at <= app_now() - make_interval(days => kept.days::int) and erasure_stopped_by(c.id) is null
        order by c.closed_at limit 1) c
    union all
    (select c.id, c.closed_at from cases c
      where c.status = 'closed' and c.erased_at is null and c.closure_reason in ('declined', 'not_eligible')
        and c.closed_at <= app_now() - interval '7 days' and erasure_stopped_by(c.id) is null
        and not exists (select from consents k where k.case_id = c.id and k.purpose = 'services')
      order by c.closed_at limit 1)
  ) due order by due.closed_at limit 1
$$;

-- Retention: the closed case whose time was over first, erased; no row when none is due.
create or replace function erase_due_case(days jsonb)
  returns table (id uuid, case_id uuid, homes uuid[], at timestamptz)
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  entry erasure_ledger;
  due uuid := due_case(days);
begin
  if due is null then
    return;
  end if;
  perform lock_client_graph();
  perform from cases c where c.id = due for update;
  if due_case(days) is distinct from due then  -- held, reopened or erased while the lock was waited for
    return;
  end if;
  entry.id := gen_random_uuid();
  entry.at := app_now();
  entry.basis := 'retention';
  entry := put_erasure(due, entry);
  perform tell_erasure(due, 'retention');
  return query select entry.id, entry.case_id, entry.homes, entry.at;
end
$$;

-- How many of these cases and homes have a key here all the same: only in a database from before their erasure.
create or replace function erasures_undone(the_cases uuid[], the_homes uuid[]) returns bigint
  language plpgsql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  return (select count(*) from vault.data_keys k where k.case_id = any (the_cases) or k.home = any (the_homes || the_cases));
end
$$;

-- One line of the ledger's file, done again: true where this database still held something of the case.
create or replace function replay_erasure(the_id uuid, the_case uuid, the_homes uuid[], the_at timestamptz) returns boolean
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  entry erasure_ledger;
  there boolean;
begin
  there := exists (select from cases c where c.id = the_case and c.erased_at is null);
  if not there and erasures_undone(array[the_case], the_homes) = 0 then
    return false;
  end if;
  perform lock_client_graph();
  perform from cases c where c.id = the_case for update;
  delete from vault.data_keys k where k.case_id = the_case or k.home = the_case or k.home = any (the_homes);
  if exists (select from cases c where c.id = the_case) then
    entry.id := the_id;
    entry.at := the_at;
    entry.homes := the_homes;
    entry.basis := 'restored';
    perform put_erasure(the_case, entry);
  end if;
  perform tell_erasure(the_case, 'restored');
  return true;
end
$$;

-- The client has died: what is known of her is kept until a supervisor decides.
create or replace function on_client_died() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  insert into legal_holds (id, case_id, organisation_id, basis, created_at)
  values (gen_random_uuid(), new.id, new.organisation_id, 'client_died', app_now())
  on conflict (case_id) where lifted_at is null do nothing;
  return null;
end
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'app_may_erase(uuid)', 'app_may_hold(uuid)', 'erasure_stopped_by(uuid)', 'unlink_people_of(uuid)', 'erase_rows_of(uuid)',
    'put_erasure(uuid, erasure_ledger)', 'tell_erasure(uuid, text)', 'confirm_erasure(uuid, uuid)', 'due_case(jsonb)', 'erase_due_case(jsonb)',
    'erasures_undone(uuid[], uuid[])', 'replay_erasure(uuid, uuid, uuid[], timestamptz)', 'on_client_died()'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
  foreach f in array array['app_may_erase(uuid)', 'app_may_hold(uuid)', 'confirm_erasure(uuid, uuid)',
                           'erasures_undone(uuid[], uuid[])'] loop
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
  foreach f in array array['erase_due_case(jsonb)', 'erasures_undone(uuid[], uuid[])',
                           'replay_erasure(uuid, uuid, uuid[], timestamptz)'] loop
    execute format('grant execute on function %s to samaki_worker', f);
  end loop;
end
$$;

grant execute on function on_client_died() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

create or replace trigger client_died after update of closure_reason on cases
  for each row when (new.closure_reason = 'died' and old.closure_reason is distinct from 'died'
                     and current_user <> 'samaki_loader')
  execute function on_client_died();

-- Like the trail, the ledger is only ever appended to, by whoever has the right too.
create or replace trigger ledger_touched before update or delete or truncate on erasure_ledger
  for each statement execute function on_trail_touched();
