-- Handing a case to another organisation, and the cases of a leaver to a colleague. Who receives a transfer sees no row
-- and no key of it: these functions tell what may be known before the yes, and give the snapshot out with the yes alone.
-- After 100 and 110, which take all policies and rights away first.

set local role samaki_definer;  -- who owns what follows

-- The transfers to the caller's organisation, newest first, for its supervisors. An exclusion hides them as it hides
-- every case of the client.
create or replace function transfers_in(
    only_transfer uuid default null, only_status text default null,
    before_at timestamptz default null, before_id uuid default null, at_most int default 50)
  returns table (id uuid, case_id uuid, code text, sender_id uuid, sender_name text, sector text, province_code text,
                 priority text, status text, due_at timestamptz, overdue boolean, answered_at timestamptz, version int,
                 created_at timestamptz, opened_case_id uuid, opened_case_code text)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select t.id, t.case_id, t.code::text, o.id, o.name::text, t.sector::text, left(c.commune_code, 2), t.priority::text,
         t.status::text, t.due_at, t.status = 'requested' and t.due_at < app_now(), t.answered_at, t.version,
         t.created_at, n.id, n.code::text
    from (select app_excluded_cases() as cases offset 0) gone
   cross join lateral (
     select t.* from transfers t
      where (only_transfer is null or t.id = only_transfer)
        and app_role() = 'supervisor'
        and t.recipient_id = app_organisation_id()
        and t.case_id <> all (gone.cases)
        and (only_status is null or t.status = only_status)
        and (before_at is null or (t.created_at, t.id) < (before_at, before_id))
      order by t.created_at desc, t.id desc
      limit least(at_most, 201)) t
    join cases c on c.id = t.case_id
    join organisations o on o.id = t.organisation_id
    left join cases n on n.id = t.opened_case_id and n.id <> all (gone.cases)
   order by t.created_at desc, t.id desc
$$;

-- Is the consent good now on which the transfer rests?
create or replace function transfer_is_consented(the_consent uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from consents k
                  where k.id = the_consent and k.withdrawn_at is null
                    and (k.expires_on is null
                         or (k.expires_on + 1)::timestamp at time zone 'Asia/Phnom_Penh' > app_now()))
$$;

-- The row of a transfer, with its case and every other case of the client locked as exclusions lock them; null when it is
-- not there for the caller, or is not any more once whoever was waited for is done.
create or replace function hold_transfer(the_transfer uuid) returns transfers
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  t transfers;
  the_case uuid;
begin
  select i.case_id into the_case from transfers_in(only_transfer => the_transfer) i;
  if the_case is null then
    return null;
  end if;
  perform lock_client_graph();
  perform from cases c where c.id in (select the_case union select k.case_id from cases_of_client(the_case) k)
    order by c.id for no key update;
  select x.* into t from transfers x where x.id = the_transfer;  -- whoever changes it holds the case
  if not exists (select from transfers_in(only_transfer => the_transfer)) then
    return null;
  end if;
  return t;
end
$$;

-- The yes. Gives the snapshot and its key, once: what is not opened in this transaction is nowhere any more.
-- `outcome`: 'accepted', 'answered_before', 'consent_required'; no row when there is no such transfer for the caller.
create or replace function accept_transfer(the_transfer uuid)
  returns table (outcome text, code text, category text, sensitivity text, province_code text, contact_suspended boolean,
                 snapshot_sealed bytea, kek_id text, wrapped bytea)
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
  t transfers := hold_transfer(the_transfer);
begin
  if t.id is null then
    return;
  elsif t.status <> 'requested' then
    outcome := 'answered_before';
    return next;
    return;
  elsif not transfer_is_consented(t.consent_id) then
    outcome := 'consent_required';
    return next;
    return;
  -- Help that waits for a decision or was not handed over in full is settled where it was asked for, as before any closing.
  elsif exists (select from assistance_requests q
                 where q.case_id = t.case_id and q.status in ('submitted', 'approved', 'part_paid')) then
    outcome := 'unsettled';
    return next;
    return;
  end if;
  update transfers
     set status = 'accepted', answered_at = app_now(), answered_by = app_user_id(), snapshot_sealed = null,
         version = version + 1, updated_at = app_now()
   where id = t.id;
  return query
    select 'accepted', t.code::text, c.category::text, c.sensitivity::text, left(c.commune_code, 2),
           t.contact_suspended_at is not null, t.snapshot_sealed, k.kek_id::text, k.wrapped
      from cases c join vault.data_keys k on k.home = t.id
     where c.id = t.case_id;
end
$$;

-- The rest of the yes, when the new case is written: it is joined to the old one, so that every exclusion of the client
-- comes along; what her perpetrators are found by comes along and is compared anew; the old case closes, and nothing is
-- due there any more.
create or replace function settle_transfer(the_transfer uuid, the_case uuid) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  t transfers;
  old cases;
begin
  select x.* into t from transfers x
   where x.id = the_transfer and x.status = 'accepted' and x.answered_by = app_user_id() and x.opened_case_id is null;
  if t.id is null or not app_just_opened(the_case) then
    raise insufficient_privilege using message = 'not the transfer that was just accepted';
  end if;
  select c.* into old from cases c where c.id = t.case_id;
  insert into person_links (id, person_id, other_id, created_at, created_by)
  select gen_random_uuid(), n.client_id, old.client_id, app_now(), app_user_id() from cases n where n.id = the_case;
  insert into screening_tokens (incident_id, token, case_id, organisation_id)
  select distinct the_case, s.token, the_case, t.recipient_id from screening_tokens s where s.case_id = old.id;
  perform screen(the_case, null);
  update transfers set opened_case_id = the_case where id = t.id;
  update follow_ups set ended_at = app_now(), version = version + 1, updated_at = app_now()
   where case_id = old.id and happened_at is null and ended_at is null;
  update actions set ended_at = app_now(), version = version + 1, updated_at = app_now()
   where case_id = old.id and completed_at is null and ended_at is null;
  update cases
     set status = 'closed', closed_at = app_now(), closure_reason = 'transferred', outcome = 'unknown',
         closure_requested_by = null, version = version + 1, team_version = team_version + 1, updated_at = app_now()
   where id = old.id;
  insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data)
  values (gen_random_uuid(), old.id, old.organisation_id, 'transfer.accepted', 'caseworkers', app_now(), app_user_id(),
          t.id, '{}'),
         (gen_random_uuid(), old.id, old.organisation_id, 'case.status_changed', 'team', app_now(), app_user_id(), null,
          jsonb_build_object('from', old.status, 'to', 'closed'));
end
$$;

-- The no. What would have been told is gone, and only then the key is given, to seal why.
-- `outcome`: 'rejected', 'answered_before'; no row when there is no such transfer for the caller.
create or replace function decline_transfer(the_transfer uuid) returns table (outcome text, kek_id text, wrapped bytea)
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
  t transfers := hold_transfer(the_transfer);
begin
  if t.id is null then
    return;
  elsif t.status <> 'requested' then
    outcome := 'answered_before';
    return next;
    return;
  end if;
  update transfers
     set status = 'rejected', answered_at = app_now(), answered_by = app_user_id(), snapshot_sealed = null,
         version = version + 1, updated_at = app_now()
   where id = t.id;
  insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data)
  values (gen_random_uuid(), t.case_id, t.organisation_id, 'transfer.declined', 'caseworkers', app_now(), app_user_id(),
          t.id, '{}');
  return query select 'rejected', k.kek_id::text, k.wrapped from vault.data_keys k where k.home = t.id;
end
$$;

create or replace function note_transfer(the_transfer uuid, why bytea) returns void
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  update transfers set answer_sealed = why
   where id = the_transfer and status = 'rejected' and answered_by = app_user_id() and answer_sealed is null
$$;

-- What she said is safe has changed: what was written down of it is not told any more. The sender may ask anew.
create or replace function suspend_transfer_contact(the_case uuid) returns void
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  update transfers set contact_suspended_at = app_now(), version = version + 1, updated_at = app_now()
   where case_id = the_case and status = 'requested' and contact_suspended_at is null
     and exists (select from app_ways(the_case) w where w.mode <> 'read')
$$;

-- A transfer ends with the consent on which it rests, and with the case that was to go.
create or replace function on_transfer_void() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  with ended as (
    update transfers
       set status = 'cancelled', answered_at = app_now(), snapshot_sealed = null, version = version + 1,
           updated_at = app_now()
     where status = 'requested'
       and case when tg_table_name = 'cases' then case_id = new.id else consent_id = new.id end
    returning id, case_id, organisation_id
  )
  insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data)
  select gen_random_uuid(), e.case_id, e.organisation_id, 'transfer.cancelled', 'caseworkers', app_now(), app_user_id(),
         e.id, jsonb_build_object('reason', case when tg_table_name = 'cases' then 'case_closed' else 'consent_ended' end)
    from ended e;
  return null;
end
$$;

-- The worker: nobody there has answered in time, which the sender is told once. On the receivers' worklist it stays.
create or replace function tell_overdue_transfers(at_most int) returns int
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  with late as (
    select t.id from transfers t
     where t.status = 'requested' and t.overdue_at is null and t.due_at < app_now()
     order by t.due_at limit at_most
       for update skip locked),
  marked as (
    update transfers t set overdue_at = app_now() from late where t.id = late.id
    returning t.id, t.case_id, t.organisation_id),
  told as (
    insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data)
    select gen_random_uuid(), m.case_id, m.organisation_id, 'transfer.overdue', 'caseworkers', app_now(), app_user_id(),
           m.id, '{}'
      from marked m returning id)
  select count(*)::int from told
$$;

-- Nothing leads to a case that is erased.
create or replace function on_opened_case_erased() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update transfers set opened_case_id = null where opened_case_id = new.id;
  return null;
end
$$;

-- How many open cases each of these people leads, as far as the caller may know: a supervisor counts the stubs of the
-- own organisation, everybody else what they see, and nobody what they are excluded from.
create or replace function cases_led(users uuid[], but_case uuid default null) returns table (user_id uuid, led int)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select c.lead_id, count(*)::int
    from (select app_excluded_cases() as cases offset 0) gone
   cross join cases c
   where c.lead_id = any (users) and c.status <> 'closed' and c.id is distinct from but_case
     and c.id <> all (gone.cases)
     and ((app_role() = 'supervisor' and c.organisation_id = app_organisation_id())
          or exists (select from case_access a where a.case_id = c.id and a.principal = any (app_principals())
                        and (a.expires_at is null or a.expires_at > app_now())))
   group by c.lead_id
$$;

-- What a leaver still holds on open cases, as far as the calling supervisor may assign there; and the lead of cases that
-- lost it because the leaver was deactivated or moved, while nobody else has led them. `free`: the successor may take it.
create or replace function handover_of(leaver uuid, successor uuid)
  returns table (case_id uuid, organisation_id uuid, role text, until timestamptz, free boolean)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select distinct on (a.case_id) a.case_id, a.organisation_id, a.role::text, a.until,
         not is_excluded(successor, a.case_id)
         and (a.role = 'lead' or not exists (select from assignments s
                                              where s.case_id = a.case_id and s.user_id = successor
                                                and s.ended_at is null and (s.until is null or s.until > app_now())))
    from (select app_excluded_cases() as cases offset 0) gone
   cross join assignments a
    join cases c on c.id = a.case_id
   where app_role() = 'supervisor' and a.organisation_id = app_organisation_id()
     and a.user_id = leaver and a.role in ('lead', 'caseworker', 'cover')
     and c.status <> 'closed' and c.erased_at is null
     and c.id <> all (gone.cases)
     and ((a.ended_at is null and (a.until is null or a.until > app_now()))
          or (a.role = 'lead' and a.end_reason = 'user_changed' and c.lead_id is null
              and not exists (select from assignments l
                               where l.case_id = a.case_id and l.role = 'lead' and l.created_at > a.created_at)))
   order by a.case_id, a.role = 'lead' desc, a.created_at
$$;

-- Ends what a leaver holds on one case, for a supervisor who may not see whose places there are, and gives what the
-- leaver has planned there to the successor, so that nothing is forgotten. False when there was nothing to leave any
-- more: somebody else was faster.
create or replace function leave_case(the_case uuid, leaver uuid, successor uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  ended int;
begin
  if not app_supervises(the_case) then
    raise insufficient_privilege using message = 'not a supervisor of the case';
  end if;
  perform from cases where id = the_case for no key update;
  with ended as (
    update assignments set ended_at = app_now(), ended_by = app_user_id(), end_reason = 'handed_over'
     where case_id = the_case and user_id = leaver and ended_at is null and role in ('lead', 'caseworker', 'cover')
    returning id, organisation_id, role
  )
  insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data)
  select gen_random_uuid(), the_case, e.organisation_id, 'assignment.ended', 'caseworkers', app_now(), app_user_id(),
         e.id, jsonb_build_object('role', e.role, 'reason', 'handed_over')
    from ended e;
  get diagnostics ended = row_count;
  if ended = 0 and not exists (select from cases c where c.id = the_case and c.lead_id is null) then
    return false;
  end if;
  update follow_ups set assignee_id = successor, version = version + 1, updated_at = app_now()
   where case_id = the_case and assignee_id = leaver and happened_at is null and ended_at is null
     and successor is not null and not is_excluded(successor, the_case);
  return true;
end
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'transfers_in(uuid, text, timestamptz, uuid, int)', 'transfer_is_consented(uuid)', 'hold_transfer(uuid)',
    'accept_transfer(uuid)', 'settle_transfer(uuid, uuid)', 'decline_transfer(uuid)', 'note_transfer(uuid, bytea)',
    'suspend_transfer_contact(uuid)', 'on_transfer_void()', 'on_opened_case_erased()', 'cases_led(uuid[], uuid)',
    'handover_of(uuid, uuid)', 'leave_case(uuid, uuid, uuid)', 'tell_overdue_transfers(int)'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
  foreach f in array array[
    'transfers_in(uuid, text, timestamptz, uuid, int)', 'accept_transfer(uuid)', 'settle_transfer(uuid, uuid)',
    'decline_transfer(uuid)', 'note_transfer(uuid, bytea)', 'suspend_transfer_contact(uuid)', 'cases_led(uuid[], uuid)',
    'handover_of(uuid, uuid)', 'leave_case(uuid, uuid, uuid)'] loop
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
end
$$;
grant execute on function tell_overdue_transfers(int) to samaki_worker;
-- The owner of the tables makes the triggers.
grant execute on function on_transfer_void(), on_opened_case_erased() to samaki_owner;

reset role;

create or replace trigger transfer_void_with_case after update of status on cases
  for each row when (new.status = 'closed' and old.status <> 'closed') execute function on_transfer_void();
create or replace trigger transfer_void_with_consent after update of withdrawn_at on consents
  for each row when (new.withdrawn_at is not null) execute function on_transfer_void();
create or replace trigger opened_case_erased after update of erased_at on cases
  for each row when (new.erased_at is not null) execute function on_opened_case_erased();

alter table transfers enable row level security;
alter table transfers force row level security;

do $$
declare
  p text;
  -- %1$s: the column with the case's id; %2$s: a further condition on the access row. A liaison sees nothing of it.
  may constant text :=
    '(exists (select 1 from case_access a where a.case_id = %1$s'
    ' and a.principal = any ((select app_principals())::uuid[])'
    ' and (a.expires_at is null or a.expires_at > (select app_now())) and a.via <> ''liaison'' %2$s offset 0)'
    ' and %1$s <> all ((select app_excluded_cases())::uuid[]))';
  by_writers constant text := 'and a.mode = ''write''';
begin
  for p in select policyname from pg_policies where schemaname = 'public' and tablename = 'transfers' loop
    execute format('drop policy %I on transfers', p);  -- this file may run alone
  end loop;
  drop policy if exists see_transfer on vault.data_keys;
  drop policy if exists add_transfer on vault.data_keys;
  execute 'create policy definer on transfers to samaki_definer using (true) with check (true)';
  -- The sender's side. The receiver's has no policy at all.
  execute 'create policy see on transfers for select to samaki_runtime using ' || format(may, 'transfers.case_id', '');
  execute 'create policy add on transfers for insert to samaki_runtime
             with check (created_by = app_user_id() and ' || format(may, 'transfers.case_id', by_writers) || ')';
  execute 'create policy change on transfers for update to samaki_runtime using ' || format(may, 'transfers.case_id', by_writers);
  execute 'create policy see_transfer on vault.data_keys for select to samaki_runtime
             using (part = ''transfer'' and ' || format(may, 'data_keys.case_id', '') || ')';
  execute 'create policy add_transfer on vault.data_keys for insert to samaki_runtime
             with check (part = ''transfer'' and ' || format(may, 'data_keys.case_id', by_writers) || ')';
end
$$;

grant select, insert on transfers to samaki_runtime;
grant update (status, answered_at, answered_by, snapshot_sealed, version, updated_at) on transfers to samaki_runtime;
grant select, update on transfers to samaki_definer;
grant update on follow_ups, actions to samaki_definer;
