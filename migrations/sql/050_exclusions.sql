-- Who must never see a case. The runtime role cannot read the table: a policy on it that hides rows from the excluded
-- user would make the case appear, and one that shows them would say that it exists.

set local role samaki_definer;  -- who owns what follows

-- Before fields were sealed.
drop function if exists exclude_user(uuid, uuid, text, jsonb);
drop function if exists lift_exclusion(uuid, uuid, text);

-- The cases that the caller must never see; a policy asks once a statement. Of a system also those of its keeper, who
-- holds its secret.
create or replace function app_excluded_cases() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select coalesce(array_agg(e.case_id), '{}') from case_exclusions e
   where (e.user_id = app_user_id() or e.user_id = (select u.keeper_id from users u where u.id = app_user_id()))
     and e.lifted_at is null
$$;

create or replace function is_excluded(the_user uuid, the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from case_exclusions e where e.user_id = the_user and e.case_id = the_case and e.lifted_at is null)
$$;

-- The ways in which the caller reaches a case now; none on a stub. For what definer functions ask of one case.
create or replace function app_ways(the_case uuid) returns table (via text, mode text)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select a.via::text, a.mode::text
    from (select app_excluded_cases() as cases offset 0) gone
   cross join lateral (select * from case_access a
                        where a.case_id = the_case and a.principal = any (app_principals())
                          and (a.expires_at is null or a.expires_at > app_now()) and a.case_id <> all (gone.cases)
                       offset 0) a
$$;

-- The cases of other organisations that the caller reviews because nobody there could (158_outside_reviews.sql).
create or replace function app_lent_cases() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select coalesce(array_agg(r.case_id), '{}')
    from outside_reviews r
    join assignments a on a.id = r.assignment_id
   where r.user_id = app_user_id() and r.lender_id = app_organisation_id() and app_role() = 'supervisor'
     and a.ended_at is null and a.until > app_now()
$$;

-- May the caller act on the case as its organisation's supervisor (assign, exclude), seen or only as a stub? The
-- exclusions are asked for first, so that an unknown case takes as long as one from which the caller is excluded.
create or replace function app_supervises(the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select app_role() = 'supervisor'
     and exists (select from (select app_excluded_cases() as cases, app_lent_cases() as lent offset 0) gone
                  cross join lateral (select from cases c where c.id = the_case
                                         and (c.organisation_id = app_organisation_id() or c.id = any (gone.lent))
                                         and c.erased_at is null
                                         and c.id <> all (gone.cases) offset 0) c)
$$;

create or replace function app_leads(the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from cases c where c.id = the_case and c.lead_id = app_user_id())
     and not is_excluded(app_user_id(), the_case)
$$;

-- Did the caller open the case in this very transaction? Only then may somebody fill a case that they cannot read back.
create or replace function app_just_opened(the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from cases c where c.id = the_case and c.created_by = app_user_id()
                    and c.opened_xid = pg_current_xact_id())
$$;

-- Excluding and linking wait for each other: of two at once each would miss what the other has not committed yet. Taken
-- before any case is locked, and cases are locked in the order of their ids, so that two of these cannot deadlock.
create or replace function lock_client_graph() returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform from client_graph where id = 1 for update;
end
$$;

-- Every case of the same client, through the links between the client's rows.
create or replace function cases_of_client(the_case uuid) returns table (case_id uuid, organisation_id uuid)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  with recursive same (person_id) as (
    select c.client_id from cases c where c.id = the_case
    union
    select case when l.person_id = s.person_id then l.other_id else l.person_id end
      from same s join person_links l on s.person_id in (l.person_id, l.other_id)
  )
  select c.id, c.organisation_id
    from same s
    join people p on p.id = s.person_id and p.role = 'client'
    join cases c on c.id = p.case_id and c.client_id = p.id
$$;

-- One exclusion on one case: the row, and the end of what the user held there. The note stays where it was written: it
-- is sealed with that case's key.
create or replace function put_exclusion(the_case uuid, origin case_exclusions) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform from cases where id = the_case for no key update;
  insert into case_exclusions (id, case_id, organisation_id, user_id, origin_id, reason_code, sealed, created_at, created_by,
                               unanswered)
  select case when c.id = origin.case_id then origin.id else gen_random_uuid() end, c.id, c.organisation_id,
         origin.user_id, origin.origin_id, origin.reason_code,
         case when c.id = origin.case_id then origin.sealed end, app_now(), origin.created_by,
         coalesce(origin.unanswered, false)
    from cases c where c.id = the_case and c.erased_at is null
  on conflict (case_id, user_id, origin_id) where lifted_at is null do nothing;
  update break_glass_grants set ended_at = app_now()
   where case_id = the_case and user_id = origin.user_id and ended_at is null;
  update assignments set ended_at = app_now(), ended_by = app_user_id(), end_reason = 'ended'  -- who sees the team may not know of exclusions
   where case_id = the_case and user_id = origin.user_id and ended_at is null;
end
$$;

-- Excludes a user from every case of the client, beside what others have decided about the same user. Returns the id of
-- the exclusion, or null when the user leads this case: the lead is excluded only after another is named.
create or replace function exclude_user(the_case uuid, the_user uuid, reason text, the_id uuid, note bytea) returns uuid
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  origin case_exclusions;
  other uuid;
begin
  if not (app_leads(the_case) or app_supervises(the_case) or app_just_opened(the_case)) then
    raise insufficient_privilege using message = 'not the lead nor a supervisor of the case';
  end if;
  perform lock_client_graph();
  perform from cases c where c.id in (select the_case union select k.case_id from cases_of_client(the_case) k)
    order by c.id for no key update;
  if exists (select from cases c where c.id = the_case and c.lead_id = the_user) then
    return null;
  end if;
  origin.user_id := the_user;
  origin.id := the_id;
  origin.case_id := the_case;
  origin.origin_id := the_id;
  origin.reason_code := reason;
  origin.sealed := note;
  origin.created_by := app_user_id();
  perform put_exclusion(the_case, origin);
  for other in select k.case_id from cases_of_client(the_case) k where k.case_id <> the_case order by 1 loop
    perform put_exclusion(other, origin);
  end loop;
  return the_id;
end
$$;

-- Every decision that stands on one case of a client stands on all of them: put where it is missing.
create or replace function spread_exclusions(start uuid) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  standing case_exclusions;
  other uuid;
begin
  perform lock_client_graph();
  perform from cases c where c.id in (select k.case_id from cases_of_client(start) k) order by c.id for no key update;
  for standing in
    select distinct on (e.origin_id) e.*
      from cases_of_client(start) k join case_exclusions e on e.case_id = k.case_id and e.lifted_at is null
     order by e.origin_id
  loop
    for other in
      select k.case_id from cases_of_client(start) k
       where not exists (select from case_exclusions e
                          where e.case_id = k.case_id and e.origin_id = standing.origin_id and e.lifted_at is null)
       order by 1
    loop
      perform put_exclusion(other, standing);
    end loop;
  end loop;
end
$$;

create or replace function on_people_linked() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform spread_exclusions(p.case_id) from people p
    where p.id in (new.person_id, new.other_id) and p.role = 'client' and p.case_id is not null;
  return null;
end
$$;

-- May the caller know of a decision? Only who knows the case on which it was made, be it another of the client. When
-- that one is erased, nobody knows it any more: who has to live with what is left of it on another case reads and lifts
-- it there.
create or replace function app_knows_decision(the_origin uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from case_exclusions o
                  where o.id = the_origin
                    and (app_supervises(o.case_id) or exists (select from app_ways(o.case_id))
                         or exists (select from cases c where c.id = o.case_id and c.erased_at is not null)))
$$;

-- May the caller, who sees the case, know of an exclusion or match on it (a match is an exclusion with the same id)? Asked
-- of each event about one. Never who is kept away, also after it was lifted or the match was somebody else.
create or replace function app_knows_exclusion(the_exclusion uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from case_exclusions e
                  where e.id = the_exclusion and (app_leads(e.case_id) or app_supervises(e.case_id))
                    and e.user_id <> app_user_id() and app_knows_decision(e.origin_id))
$$;

-- Readable by the lead and the non-excluded supervisors who see the case (which the caller of this has checked too). A
-- match of the screening holds like any exclusion, but is nobody's decision before it is answered (057_screening.sql).
create or replace function exclusions_of(the_case uuid) returns setof case_exclusions
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select e.* from case_exclusions e
   where e.case_id = the_case and (app_leads(the_case) or app_supervises(the_case)) and not e.unanswered
     and e.user_id <> app_user_id() and app_knows_decision(e.origin_id)
   order by e.created_at desc, e.id desc
$$;

-- The first call asks, the second, by another person, lifts; one of the two is a supervisor; neither is the excluded.
-- Returns 'requested', 'lifted', 'same_person', 'supervisor_needed', or null for no such exclusion.
create or replace function lift_exclusion(the_case uuid, the_exclusion uuid, why bytea) returns text
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  e case_exclusions;
  first_role text;
begin
  if not (app_leads(the_case) or app_supervises(the_case)) then
    raise insufficient_privilege using message = 'not the lead nor a supervisor of the case';
  end if;
  perform lock_client_graph();
  select * into e from case_exclusions x
   where x.id = the_exclusion and x.case_id = the_case and x.lifted_at is null and x.user_id <> app_user_id()
     and not x.unanswered and app_knows_decision(x.origin_id);
  if not found then
    return null;
  end if;
  if e.lift_requested_by is null then
    update case_exclusions set lift_requested_at = app_now(), lift_requested_by = app_user_id(), lift_sealed = why
     where id = e.id;
    return 'requested';
  elsif e.lift_requested_by = app_user_id() then
    return 'same_person';
  end if;
  select u.role into first_role from users u where u.id = e.lift_requested_by;
  if 'supervisor' not in (first_role, app_role()) then
    return 'supervisor_needed';
  end if;
  -- Together with its copies on the client's other cases: lifting restores no assignment and no grant.
  update case_exclusions set lifted_at = app_now(), lifted_by = app_user_id()
   where origin_id = e.origin_id and lifted_at is null;
  return 'lifted';
end
$$;

-- The same for a person's row of the case just opened.
create or replace function app_just_opened_for(the_person uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from people p where p.id = the_person and app_just_opened(p.case_id))
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'app_excluded_cases()', 'app_lent_cases()', 'is_excluded(uuid, uuid)', 'app_ways(uuid)', 'app_supervises(uuid)', 'app_leads(uuid)', 'app_just_opened(uuid)', 'app_just_opened_for(uuid)',
    'lock_client_graph()', 'app_knows_decision(uuid)', 'app_knows_exclusion(uuid)', 'cases_of_client(uuid)', 'put_exclusion(uuid, case_exclusions)', 'exclude_user(uuid, uuid, text, uuid, bytea)',
    'spread_exclusions(uuid)', 'on_people_linked()', 'exclusions_of(uuid)', 'lift_exclusion(uuid, uuid, bytea)'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
  foreach f in array array[
    'app_excluded_cases()', 'app_supervises(uuid)', 'app_just_opened(uuid)', 'app_just_opened_for(uuid)', 'exclude_user(uuid, uuid, text, uuid, bytea)',
    'exclusions_of(uuid)', 'lift_exclusion(uuid, uuid, bytea)', 'app_leads(uuid)', 'app_knows_exclusion(uuid)'] loop
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
end
$$;

grant execute on function on_people_linked() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

create or replace trigger people_linked after insert on person_links
  for each row when (current_user <> 'samaki_loader') execute function on_people_linked();
