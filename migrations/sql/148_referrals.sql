-- Referrals: both organisations see the row; what is told opens with the recipient's yes and closes with the state, with
-- time, and with the consent. After 100, 110 and 134, which takes all of its policies and rights away first.

set local role samaki_definer;  -- who owns what follows

-- What closes the snapshot for good.
create or replace function referral_closes(the_status text) returns boolean
  language sql immutable parallel safe
  return the_status in ('rejected', 'cancelled', 'failed', 'entered_in_error');

-- Does the caller see it? What the policy below says, asked by the same steps of one that is hidden and of none.
create or replace function app_sees_referral(the_referral uuid) returns boolean
  language plpgsql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  home uuid;
  others uuid;
  followed uuid;
begin
  select r.case_id, r.partner_id, case when r.standard then r.organisation_id end into home, others, followed
    from referrals r where r.id = the_referral;
  home := coalesce(home, the_referral);  -- that is no case: nothing is found there
  return home <> all (app_excluded_cases())
     and (exists (select from case_access a
                   where a.case_id = home and a.principal = any (app_principals()) and a.via <> 'liaison'
                     and (a.expires_at is null or a.expires_at > app_now()))
          or (app_role() in ('partner', 'supervisor') and others = app_organisation_id()) is true
          or (app_role() = 'partner' and followed = app_organisation_id()) is true);
end
$$;

-- On which side the caller may act: 'case' for who works on it, 'partner' for the other organisation; null for nobody.
create or replace function referral_side(the_referral uuid) returns text
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select case
           when app_role() in ('partner', 'supervisor') and r.partner_id = app_organisation_id()
                and r.case_id <> all (app_excluded_cases())
             then 'partner'  -- also a supervisor who helps out on the case: she reads it from this side
           when exists (select from app_ways(r.case_id) w where w.mode <> 'read' and w.via not in ('liaison', 'break_glass'))
             then 'case'
         end
    from referrals r where r.id = the_referral
$$;

-- The row until the transaction ends; asked after visibility, and says once more on which side the caller is. The case
-- first, since events will refer to it: erasure takes the case and then what hangs on it.
create or replace function hold_referral(the_referral uuid) returns text
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform from cases c where c.id = (select r.case_id from referrals r where r.id = the_referral) for key share;
  perform from referrals where id = the_referral for no key update;
  return referral_side(the_referral);
end
$$;

-- What will be told is the sender's alone until the yes: that it changed would say to the recipient that a telephone is
-- among it.
create or replace function put_referral_event(r referrals, what text) returns void
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data, referral_id, partner_id)
  select gen_random_uuid(), r.case_id, r.organisation_id, 'referral.' || what, 'caseworkers', app_now(), app_user_id(), r.id,
         jsonb_build_object('status', r.status), case when told then r.id end, case when told then r.partner_id end
    from (select r.status <> 'requested' or what not in ('contact_changed', 'shared') as told) x
$$;

-- What both sides are told of, by who is on one of them.
create or replace function tell_referral(the_referral uuid, what text) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if hold_referral(the_referral) is null then
    raise insufficient_privilege using message = 'not a side of the referral';
  end if;
  perform put_referral_event(r, what) from referrals r where r.id = the_referral;
end
$$;

-- One step of a side, or progress within a state; the steps themselves are a table in app/services/referral_steps.py. What
-- ends badly closes the snapshot whatever `until` says.
create or replace function move_referral(
    the_referral uuid, to_status text, why text, came_out text, business text, appointment timestamptz, until timestamptz,
    words bytea, what text) returns int
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  r referrals;
begin
  if hold_referral(the_referral) is null then
    raise insufficient_privilege using message = 'not a side of the referral';
  end if;
  update referrals
     set status = to_status, reason_code = why, outcome_code = came_out, business_status = business,
         appointment_at = appointment, open_sealed = words,
         contact_suspended_at = case when to_status = 'rejected' then null else contact_suspended_at end,  -- nothing was told
         answered_at = case when to_status in ('accepted', 'rejected') then coalesce(answered_at, app_now()) else answered_at end,
         ended_at = case when to_status in ('requested', 'accepted', 'in_progress', 'on_hold') then null
                         else coalesce(ended_at, app_now()) end,
         disclosed_until = case when referral_closes(to_status) then null else until end,
         version = version + 1, updated_at = app_now()
   where id = the_referral
  returning * into r;
  if referral_closes(to_status) then
    update referral_snapshots set sealed = null, contact_sealed = null, updated_at = app_now() where referral_id = r.id;
  end if;
  perform put_referral_event(r, what);
  return r.version;
end
$$;

-- May the caller, of the other organisation, read now what is told, and write to the sender?
create or replace function app_may_open_referral(the_referral uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from referrals r
                  where r.id = the_referral and r.disclosed_until > app_now()
                    and app_role() in ('partner', 'supervisor') and r.partner_id = app_organisation_id()
                    and r.case_id <> all (app_excluded_cases())
                    and transfer_is_consented(r.consent_id))
$$;

-- What the caller's organisation sent under this number of its own, seen or not: so that it is not sent twice.
create or replace function referral_of_external_id(the_number text) returns uuid
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select r.id from referrals r
   where r.partner_id = app_organisation_id() and r.direction = 'in' and r.external_id = the_number
     and app_role() = 'partner'
$$;

-- Who of the other organisation had the told fields before them; for who sees the case.
create or replace function referral_openings(the_referral uuid)
  returns table (at timestamptz, user_id uuid, display_name text, organisation_id uuid)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select a.at, u.id, u.display_name::text, u.organisation_id
    from referrals r
    join audit_events a on a.case_ids @> array[r.case_id] and a.subject_id = r.id and 'disclosed' = any (a.via)
    join users u on u.id = a.actor_id
   where r.id = the_referral
     and exists (select from app_ways(r.case_id) w where w.via not in ('liaison', 'break_glass'))
   order by a.at desc, a.id desc
   limit 1000
$$;

-- What she said is safe has changed: how to reach her is not told any more, to whomever it was told already.
create or replace function suspend_referral_contact(the_case uuid) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  r referrals;
begin
  if not exists (select from app_ways(the_case) w where w.mode <> 'read') then
    return;
  end if;
  for r in
    update referrals x
       set contact_suspended_at = app_now(), version = version + (x.status <> 'requested')::int,
           updated_at = case when x.status = 'requested' then x.updated_at else app_now() end
     where x.case_id = the_case
       and exists (select from referral_snapshots s where s.referral_id = x.id and s.contact_sealed is not null)
    returning x.*
  loop
    update referral_snapshots set contact_sealed = null, updated_at = app_now() where referral_id = r.id;
    perform put_referral_event(r, 'contact_changed');
  end loop;
end
$$;

-- A referral ends with the consent on which it rests, and with the case; with the consent every disclosure closes, also
-- of what was completed.
create or replace function on_referral_void() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  r referrals;
begin
  perform from referrals where case when tg_table_name = 'consents' then consent_id = new.id else case_id = new.id end
    order by id for no key update;  -- before what hangs on them, as every step of a side does
  if tg_table_name = 'consents' then
    update referral_snapshots s set sealed = null, contact_sealed = null, updated_at = app_now()
      from referrals x where x.consent_id = new.id and s.referral_id = x.id;
    update referrals set disclosed_until = null, version = version + 1, updated_at = app_now()
     where consent_id = new.id and disclosed_until is not null and status = 'completed';
  end if;
  for r in
    update referrals
       set status = 'cancelled', ended_at = app_now(), disclosed_until = null, version = version + 1, updated_at = app_now(),
           reason_code = case when tg_table_name = 'consents' then 'consent_withdrawn' else 'other' end
     where status in ('requested', 'accepted', 'in_progress', 'on_hold')
       and case when tg_table_name = 'consents' then consent_id = new.id else case_id = new.id end
    returning *
  loop
    update referral_snapshots set sealed = null, contact_sealed = null, updated_at = app_now() where referral_id = r.id;
    perform put_referral_event(r, 'cancelled');
  end loop;
  return null;
end
$$;

-- The worker: silence is an event, once past due and once more at twice the time.
create or replace function tell_overdue_referrals(at_most int) returns int
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  r referrals;
  told int := 0;
begin
  for r in
    with late as (
      select x.id from referrals x join cases c on c.id = x.case_id
       where x.status in ('requested', 'accepted', 'in_progress', 'on_hold') and x.due_at < app_now()
         and (x.overdue_at is null
              or (x.escalated_at is null and x.due_at + (x.due_at - x.created_at) < app_now()))
       order by x.due_at limit at_most
         for no key update of x skip locked for key share of c skip locked)
    update referrals x
       set escalated_at = case when x.overdue_at is null then null else app_now() end,
           overdue_at = coalesce(x.overdue_at, app_now())
      from late where x.id = late.id
    returning x.*
  loop
    perform put_referral_event(r, 'overdue');
    told := told + 1;
  end loop;
  return told;
end
$$;

-- The worker: what time has closed is destroyed.
create or replace function close_disclosures(at_most int) returns int
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  with past as (
    select x.id from referrals x join cases c on c.id = x.case_id
     where x.disclosed_until <= app_now() order by x.disclosed_until limit at_most
       for no key update of x skip locked for key share of c skip locked),
  closed as (
    update referrals x set disclosed_until = null from past where x.id = past.id returning x.id),
  gone as (
    update referral_snapshots s set sealed = null, contact_sealed = null, updated_at = app_now()
      from closed where s.referral_id = closed.id returning s.id)
  select count(*)::int from closed, (select count(*) from gone) g
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'referral_closes(text)', 'app_sees_referral(uuid)', 'referral_side(uuid)', 'hold_referral(uuid)', 'put_referral_event(referrals, text)',
    'tell_referral(uuid, text)',
    'move_referral(uuid, text, text, text, text, timestamptz, timestamptz, bytea, text)', 'app_may_open_referral(uuid)',
    'referral_of_external_id(text)', 'referral_openings(uuid)', 'suspend_referral_contact(uuid)', 'on_referral_void()',
    'tell_overdue_referrals(int)', 'close_disclosures(int)'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
  foreach f in array array[
    'app_sees_referral(uuid)', 'hold_referral(uuid)', 'tell_referral(uuid, text)',
    'move_referral(uuid, text, text, text, text, timestamptz, timestamptz, bytea, text)', 'app_may_open_referral(uuid)',
    'referral_of_external_id(text)', 'referral_openings(uuid)', 'suspend_referral_contact(uuid)'] loop
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
end
$$;
grant execute on function tell_overdue_referrals(int), close_disclosures(int) to samaki_worker;
-- The owner of the tables makes the triggers.
grant execute on function on_referral_void() to samaki_owner;

reset role;

create or replace trigger referral_void_with_case after update of status on cases
  for each row when (new.status = 'closed' and old.status <> 'closed') execute function on_referral_void();
create or replace trigger referral_void_with_consent after update of withdrawn_at on consents
  for each row when (new.withdrawn_at is not null) execute function on_referral_void();

do $$
declare
  t text;
  p record;
  -- %1$s: the column with the case's id; %2$s: a further condition on the access row. A liaison sees nothing of it.
  may constant text :=
    '(exists (select 1 from case_access a where a.case_id = %1$s'
    ' and a.principal = any ((select app_principals())::uuid[])'
    ' and (a.expires_at is null or a.expires_at > (select app_now())) and a.via <> ''liaison'' %2$s offset 0)'
    ' and %1$s <> all ((select app_excluded_cases())::uuid[]))';
  by_writers constant text := 'and a.mode = ''write''';
  by_helpers constant text := 'and a.mode <> ''read'' and a.via <> ''break_glass''';  -- who may act by referral_side
  not_excluded constant text := 'case_id <> all ((select app_excluded_cases())::uuid[])';
begin
  for p in select policyname, tablename, schemaname from pg_policies
            where (schemaname = 'public' and tablename in ('referrals', 'referral_snapshots', 'referral_messages'))
               or (schemaname = 'vault' and policyname in ('see_referral', 'add_referral', 'see_snapshot'))
               or (schemaname = 'public' and tablename = 'cases' and policyname = 'open_referred') loop
    execute format('drop policy %I on %I.%I', p.policyname, p.schemaname, p.tablename);  -- this file may run alone
  end loop;
  foreach t in array array['referrals', 'referral_snapshots', 'referral_messages'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
  end loop;

  -- referrals: the case's side; the other organisation; of standard cases the own organisation's partner accounts.
  execute 'create policy see on referrals for select to samaki_runtime using
             (((select app_role()) in (''partner'', ''supervisor'') and partner_id = (select app_organisation_id()) and ' || not_excluded || ')
              or ((select app_role()) = ''partner'' and standard and organisation_id = (select app_organisation_id()) and ' || not_excluded || ')
              or ' || format(may, 'referrals.case_id', '') || ')';
  execute 'create policy add on referrals for insert to samaki_runtime with check (created_by = app_user_id()
             and (app_just_opened(case_id) or ' || format(may, 'referrals.case_id', by_writers) || '))';
  execute 'create policy change on referrals for update to samaki_runtime using ' || format(may, 'referrals.case_id', by_writers);

  -- What is told: written by who works on the case, read by the recipient while it is open.
  execute 'create policy see on referral_snapshots for select to samaki_runtime using (app_may_open_referral(referral_id) or '
          || format(may, 'referral_snapshots.case_id', '') || ')';
  execute 'create policy add on referral_snapshots for insert to samaki_runtime with check (app_just_opened(case_id) or '
          || format(may, 'referral_snapshots.case_id', by_writers) || ')';
  execute 'create policy change on referral_snapshots for update to samaki_runtime using '
          || format(may, 'referral_snapshots.case_id', by_writers);

  execute 'create policy see on referral_messages for select to samaki_runtime using (app_may_open_referral(referral_id) or '
          || format(may, 'referral_messages.case_id', '') || ')';
  execute 'create policy add on referral_messages for insert to samaki_runtime with check (created_by = app_user_id()
             and ((by_partner and app_may_open_referral(referral_id)) or (not by_partner and '
          || format(may, 'referral_messages.case_id', by_helpers) || ')))';

  -- The keys: of what both sides read at all times, and of what is told.
  execute 'create policy see_referral on vault.data_keys for select to samaki_runtime
             using (part = ''referral'' and exists (select 1 from referrals r where r.id = home))';
  execute 'create policy see_snapshot on vault.data_keys for select to samaki_runtime
             using (part = ''referral_snapshot'' and exists (select 1 from referral_snapshots s where s.id = home))';
  execute 'create policy add_referral on vault.data_keys for insert to samaki_runtime
             with check (part in (''referral'', ''referral_snapshot'') and (app_just_opened(case_id) or '
          || format(may, 'data_keys.case_id', by_writers) || '))';

  -- A partner opens an intake by a referral, and reads nothing of it back.
  execute 'create policy open_referred on cases for insert to samaki_runtime
             with check (created_by = app_user_id() and app_role() = ''partner'')';
end
$$;

grant select, insert on referrals, referral_snapshots, referral_messages to samaki_runtime;
grant update (consent_id, contact_suspended_at, sealed, version, updated_at) on referrals to samaki_runtime;
grant update (sealed, contact_sealed, version, updated_at) on referral_snapshots to samaki_runtime;
grant select, update on referrals, referral_snapshots to samaki_definer;
grant select on referral_messages to samaki_definer;
