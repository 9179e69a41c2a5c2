-- Nothing waits unseen: the date that an opening plans, whose a date is when somebody leaves a case, what the worker tells
-- once, and what a supervisor is told of cases that she sees as stubs only.

set local role samaki_definer;  -- who owns what follows

-- A date belongs to somebody who works on the case: what is planned for who does not any more is the lead's.
create or replace function on_place_changed() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update follow_ups f
     set assignee_id = c.lead_id, version = f.version + 1, updated_at = app_now()
    from cases c
   where c.id = new.case_id and f.case_id = c.id and f.assignee_id <> c.lead_id
     and f.happened_at is null and f.ended_at is null
     and not exists (select from assignments a
                      where a.case_id = c.id and a.user_id = f.assignee_id and a.ended_at is null
                        and (a.until is null or a.until > app_now()) and a.role <> 'reviewer');
  if tg_op = 'INSERT' and new.role = 'lead' then
    perform settle_escalation(new.case_id);
  end if;
  return null;
end
$$;

-- Planned for another time, it may become overdue, and be told, once more.
create or replace function on_due_moved() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  new.overdue_at := case when new.due_at = old.due_at then new.overdue_at end;
  return new;
end
$$;

-- Somebody has acted. What is still too late is escalated anew by the worker.
create or replace function settle_escalation(the_case uuid) returns void
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  update cases c set escalated_at = null
   where c.id = the_case and c.escalated_at is not null and c.lead_id is not null
     and (c.risk_level = 'high' and c.next_due_at < app_now() - interval '24 hours') is not true
$$;

create or replace function on_recorded() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform settle_escalation(new.case_id);
  -- The date that the opening has planned, and that nobody made their own: a liaison who records sees it not.
  with ended as (
    update follow_ups f set ended_at = app_now(), version = f.version + 1, updated_at = app_now()
     where f.case_id = new.case_id and f.id <> new.id and f.of_opening and f.happened_at is null and f.ended_at is null
    returning f.id)
  insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data)
  select gen_random_uuid(), new.case_id, new.organisation_id, 'follow_up.cancelled', 'caseworkers', app_now(),
         app_user_id(), e.id, '{}'
    from ended e;
  return null;
end
$$;

-- What is closed or erased waits for nobody.
create or replace function on_case_ended() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  new.escalated_at := null;
  return new;
end
$$;

-- A case that somebody beside its lead should look at, told once until somebody acts. The event does not say why: what
-- the reasons are is sealed, or a matter of those who see the case.
create or replace function put_escalation(the_case uuid) returns int
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  with escalated as (
    update cases c set escalated_at = app_now()
     where c.id = the_case and c.escalated_at is null and c.status <> 'closed' and c.erased_at is null
    returning c.id, c.organisation_id),
  told as (
    insert into events (id, case_id, organisation_id, type, audience, at, actor_id, data)
    select gen_random_uuid(), e.id, e.organisation_id, 'case.escalated', 'caseworkers', app_now(), app_user_id(), '{}'
      from escalated e returning id)
  select count(*)::int from told
$$;

-- By who finds at a follow-up that contact is not safe.
create or replace function escalate_case(the_case uuid) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if not exists (select from app_ways(the_case) w where w.mode in ('contribute', 'write') and w.via <> 'break_glass') then
    raise insufficient_privilege using message = 'does not work on the case';
  end if;
  perform put_escalation(the_case);
end
$$;

-- The worker: overdue at high risk for a day, and without a lead for four hours. Returns how many it told of.
create or replace function escalate_cases(at_most int) returns int
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  waiting uuid;
  told int := 0;
begin
  for waiting in
    (select c.id from cases c
      where c.risk_level = 'high' and c.status <> 'closed' and c.escalated_at is null
        and c.next_due_at < app_now() - interval '24 hours'
      order by c.next_due_at limit at_most)
    union
    (select c.id from cases c
      where c.lead_id is null and c.status <> 'closed' and c.erased_at is null and c.escalated_at is null
        and leaderless_since(c.id) < app_now() - interval '4 hours'
      limit at_most)
    order by 1
  loop
    told := told + put_escalation(waiting);
  end loop;
  return told;
end
$$;

create or replace function leaderless_since(the_case uuid) returns timestamptz
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select greatest(c.created_at, (select max(a.ended_at) from assignments a where a.case_id = c.id and a.role = 'lead'))
    from cases c where c.id = the_case
$$;

-- The worker: each overdue follow-up once. Whoever is just recording one holds its row, and it is passed over.
create or replace function tell_overdue(at_most int) returns int
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  with late as (
    select f.id from follow_ups f
     where f.happened_at is null and f.ended_at is null and f.overdue_at is null and f.due_at < app_now()
     order by f.due_at limit at_most
       for update skip locked),
  marked as (
    update follow_ups f set overdue_at = app_now() from late where f.id = late.id
    returning f.id, f.case_id, f.organisation_id),
  told as (
    insert into events (id, case_id, organisation_id, type, audience, at, subject_id, data)
    select gen_random_uuid(), m.case_id, m.organisation_id, 'follow_up.overdue', 'caseworkers', app_now(), m.id, '{}'
      from marked m returning id)
  select count(*)::int from told
$$;

-- For the numbers at /metrics: of all organisations together, so that they say nothing of any case.
create or replace function waiting_counts() returns table (overdue bigint, escalated bigint, leaderless bigint)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select (select count(*) from follow_ups f where f.happened_at is null and f.ended_at is null and f.due_at < app_now()),
         (select count(*) from cases c where c.erased_at is null and c.escalated_at is not null),
         (select count(*) from cases c where c.lead_id is null and c.status <> 'closed' and c.erased_at is null)
$$;

-- Cases that wait for a supervisor and that the caller knows as stubs only; no more of them than a stub says.
create or replace function stubs_to_review(at_most int)
  returns table (id uuid, code text, next_due_week text, overdue boolean)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select s.id, s.code, s.next_due_week, s.overdue
    from (select w.id
            from (select c.id from cases c
                   where c.organisation_id = app_organisation_id() and c.erased_at is null
                     and (c.status = 'closure_requested' or c.escalated_at is not null)
                   union
                  select c.id from cases c
                   where c.organisation_id = app_organisation_id() and c.death_review_due_at is not null
                   union
                  select r.case_id from risk_changes r join cases c on c.id = r.case_id and c.risk_level = 'high'
                   where r.organisation_id = app_organisation_id()
                     and r.review_due_at is not null and r.reviewed_at is null
                   union
                  select q.case_id from assistance_requests q join cases c on c.id = q.case_id and c.status <> 'closed'
                   where q.organisation_id = app_organisation_id() and q.status = 'submitted'
                   union
                  select k.case_id from consents k join cases c on c.id = k.case_id and c.status <> 'closed'
                   where k.organisation_id = app_organisation_id() and k.bypass_until > app_now()
                     and k.bypass_confirmed_at is null and k.withdrawn_at is null
                   union
                  select d.case_id from disclosures d join cases c on c.id = d.case_id and c.status <> 'closed'
                   where d.organisation_id = app_organisation_id() and d.confirmed_by is null) w
           where app_role() = 'supervisor'
             and not exists (select from case_access a
                              where a.case_id = w.id and a.principal = any (app_principals())
                                and (a.expires_at is null or a.expires_at > app_now()))
           order by w.id limit at_most) waiting
   cross join lateral case_stubs(only_case => waiting.id) s
$$;

-- Who carries how many open cases, over what the caller may know of: stubs included, excluded cases not. Overdue by the
-- week, as a stub is. Colleagues who carry none are told too: to them a case can be given.
create or replace function caseload_counts(without_lead boolean default false, of_lead uuid default null)
  returns table (lead_id uuid, lead_name text, open_cases bigint, overdue bigint, needs_review bigint)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  -- What a stub calls `needs_review` beside what is on the case itself (070_stubs.sql), found by indexes of its own.
  with waiting as (
    select r.case_id from risk_changes r join cases c on c.id = r.case_id and c.risk_level = 'high'
     where r.organisation_id = app_organisation_id() and r.review_due_at is not null and r.reviewed_at is null
    union
    select asked.case_id from assistance_requests asked
     where asked.organisation_id = app_organisation_id() and asked.status = 'submitted'
    union
    select given.case_id from consents given
     where given.organisation_id = app_organisation_id() and given.bypass_until > app_now()
       and given.bypass_confirmed_at is null and given.withdrawn_at is null
    union
    select d.case_id from disclosures d
     where d.organisation_id = app_organisation_id() and d.confirmed_by is null)
  select coalesce(u.id, n.lead_id), coalesce(u.display_name, l.display_name)::text, coalesce(n.open_cases, 0),
         coalesce(n.overdue, 0), coalesce(n.needs_review, 0)
    from (select c.lead_id, count(*) as open_cases,
                 count(*) filter (where date_trunc('week', c.next_due_at at time zone 'Asia/Phnom_Penh')
                                        < date_trunc('week', app_now() at time zone 'Asia/Phnom_Penh')) as overdue,
                 count(*) filter (where c.status = 'closure_requested' or c.lead_id is null
                                     or c.escalated_at is not null or c.death_review_due_at is not null
                                     or w.case_id is not null) as needs_review
            from cases c
            left join waiting w on w.case_id = c.id
           where app_role() = 'supervisor' and c.organisation_id = app_organisation_id()
             and c.status <> 'closed' and c.erased_at is null
             and c.id <> all ((select app_excluded_cases())::uuid[])
           group by c.lead_id) n
    full join (select x.id, x.display_name from users x
                where app_role() = 'supervisor' and x.organisation_id = app_organisation_id() and x.active
                  and not x.system and x.role = 'caseworker') u on u.id = n.lead_id
    left join users l on l.id = n.lead_id
   where (not without_lead or (n.lead_id is null and u.id is null))
     and (of_lead is null or coalesce(u.id, n.lead_id) = of_lead)
   order by 2 nulls first, 1
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'on_place_changed()', 'on_due_moved()', 'on_recorded()', 'on_case_ended()', 'settle_escalation(uuid)',
    'put_escalation(uuid)', 'escalate_case(uuid)', 'escalate_cases(int)', 'leaderless_since(uuid)', 'tell_overdue(int)',
    'waiting_counts()', 'stubs_to_review(int)', 'caseload_counts(boolean, uuid)'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
  foreach f in array array[
    'escalate_case(uuid)', 'waiting_counts()', 'stubs_to_review(int)', 'caseload_counts(boolean, uuid)'] loop
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
end
$$;
grant execute on function tell_overdue(int), escalate_cases(int) to samaki_worker;
-- The owner of the tables makes the triggers.
grant execute on function on_place_changed(), on_due_moved(), on_recorded(), on_case_ended() to samaki_owner;

reset role;

grant update on follow_ups to samaki_definer;
grant update (of_opening) on follow_ups to samaki_runtime;  -- until somebody plans it

-- After assignment_changed, which says who leads, and after planned, which says what is due: triggers go by their names.
create or replace trigger place_changed after insert or update on assignments
  for each row when (current_user <> 'samaki_loader') execute function on_place_changed();
create or replace trigger recorded after update of happened_at on follow_ups
  for each row when (old.happened_at is null and new.happened_at is not null) execute function on_recorded();
create or replace trigger due_moved before update of due_at on follow_ups
  for each row execute function on_due_moved();
create or replace trigger case_ended before update of status, erased_at on cases
  for each row when (new.status = 'closed' or new.erased_at is not null) execute function on_case_ended();

-- Who opens a case plans its first date, also for a case that the opener may not read back.
do $$
begin
  execute 'create policy open on follow_ups for insert to samaki_runtime
             with check (created_by = app_user_id() and app_just_opened(case_id))';
end
$$;
