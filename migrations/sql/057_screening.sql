-- Screening: perpetrators of incidents against users, by tokens that only these functions read. What meets is an
-- exclusion at once (050_exclusions.sql), on every case of the client, until the lead has answered it.

set local role samaki_definer;  -- who owns what follows

-- What meets and was not seen before. A name never meets a phone, as their tokens are made with different keys; a
-- relative's name may be the name of a perpetrator.
create or replace view screening_hits as
select s.case_id, u.user_id, u.kind || ':' || u.token as evidence
  from screening_tokens s
  join user_tokens u on u.token = s.token and not u.wanted
 where not exists (select from screening_matches m
                    where m.case_id = s.case_id and m.user_id = u.user_id and u.kind || ':' || u.token = any (m.evidence));
revoke all on screening_hits from public;

-- One user on one case: an open match grows, else there is a new one, with its exclusions. The cases are locked already.
create or replace function put_match(the_case uuid, the_user uuid, what text[]) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  origin case_exclusions;
  other uuid;
begin
  update screening_matches set evidence = evidence || what
   where case_id = the_case and user_id = the_user and status = 'open';
  if found then
    return;
  end if;
  origin.id := gen_random_uuid();
  origin.origin_id := origin.id;
  origin.case_id := the_case;
  origin.user_id := the_user;
  origin.reason_code := case when exists (select from unnest(what) w where w not like 'relation:%')
                             then 'perpetrator' else 'relative_of_perpetrator' end;
  origin.created_by := coalesce(app_user_id(), the_user);  -- nobody calls where the machine itself makes a user
  origin.unanswered := true;
  insert into screening_matches (id, case_id, organisation_id, user_id, evidence, led, status, found_at)
  select origin.id, c.id, c.organisation_id, the_user, what, c.lead_id is not distinct from the_user, 'open', app_now()
    from cases c where c.id = the_case;
  insert into events (id, case_id, organisation_id, type, audience, at, subject_id, data)
  select gen_random_uuid(), c.id, c.organisation_id, 'screening.found', 'oversight', app_now(), origin.id, '{}'
    from cases c where c.id = the_case;
  perform put_exclusion(the_case, origin);
  for other in select k.case_id from cases_of_client(the_case) k where k.case_id <> the_case order by 1 loop
    perform put_exclusion(other, origin);
  end loop;
end
$$;

-- Screens one case, or one user. Whoever changes the other side at this moment waits, and then finds this change: both
-- take the lock of the client graph first, and then the cases in the order of their ids.
create or replace function screen(the_case uuid, the_user uuid) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  hit record;
begin
  perform lock_client_graph();
  perform from cases c
    where c.id in (select k.case_id from screening_hits a cross join lateral cases_of_client(a.case_id) k
                    where a.case_id = the_case
                    union all
                   select k.case_id from screening_hits b cross join lateral cases_of_client(b.case_id) k
                    where b.user_id = the_user)
    order by c.id for no key update;
  for hit in
    select h.case_id, h.user_id, array_agg(distinct h.evidence order by h.evidence) as evidence
      from (select a.* from screening_hits a where a.case_id = the_case
            union all
            select b.* from screening_hits b where b.user_id = the_user) h
     group by h.case_id, h.user_id order by h.case_id, h.user_id
  loop
    perform put_match(hit.case_id, hit.user_id, hit.evidence);
  end loop;
end
$$;

-- The perpetrators of an incident, as its writer knows them. Tokens that go take no match with them: only an answer does.
create or replace function screen_incident(the_incident uuid, tokens bigint[]) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  i incidents;
begin
  select x.* into i from incidents x where x.id = the_incident;
  if not (app_just_opened(i.case_id) or exists (select from app_ways(i.case_id) w where w.mode = 'write')) then
    raise insufficient_privilege using message = 'does not write on the case';
  end if;
  delete from screening_tokens where incident_id = i.id;
  insert into screening_tokens (incident_id, token, case_id, organisation_id)
  select i.id, unnest(tokens), i.case_id, i.organisation_id;
  perform screen(i.case_id, null);
end
$$;

-- What a user is found by from now on; `as_wanted`: once it is confirmed.
create or replace function put_user_tokens(
    the_user uuid, names bigint[], phones bigint[], relations bigint[], as_wanted boolean default false) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  delete from user_tokens where user_id = the_user and wanted = as_wanted;
  insert into user_tokens (user_id, kind, token, wanted)
  select the_user, 'name', unnest(names), as_wanted
  union all
  select the_user, 'phone', unnest(phones), as_wanted
  union all
  select the_user, 'relation', unnest(relations), as_wanted
  on conflict do nothing;  -- two assignments at once of a user who is not known yet bring the same tokens
  perform screen(null, the_user);
end
$$;

-- What was asked for is confirmed: it takes the place of what there was, of which it is a part.
create or replace function settle_user_private(the_user uuid) returns void
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  update user_private set sealed = wanted, wanted = null where user_id = the_user;
  delete from user_tokens t where t.user_id = the_user and not t.wanted;
  update user_tokens t set wanted = false where t.user_id = the_user;
$$;

-- Whether anything is known by which this user could be found.
create or replace function is_screened(the_user uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from user_tokens t where t.user_id = the_user)
$$;

-- The matches that the caller may know of, newest first: on cases that the caller leads, and for a supervisor on those
-- of the organisation that she sees; never about the caller, and never of a case from which the caller is excluded.
create or replace function screening_known(
    only_case uuid default null, only_match uuid default null, open_only boolean default false,
    before_at timestamptz default null, before_id uuid default null, at_most int default 50)
  returns table (id uuid, case_id uuid, case_code text, user_id uuid, user_name text, kinds text[], led boolean, status text,
                 found_at timestamptz, answered_at timestamptz, answerer_id uuid, answerer_name text, sealed bytea)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select m.id, m.case_id, c.code::text, m.user_id, u.display_name::text,
         (select array_agg(distinct split_part(e, ':', 1)) from unnest(m.evidence) e), m.led, m.status::text,
         m.found_at, m.answered_at, m.answered_by, r.display_name::text, m.sealed
    from (select app_excluded_cases() as cases offset 0) gone
   cross join lateral (
     select m.* from screening_matches m
      where (only_case is null or m.case_id = only_case)
        and (only_match is null or m.id = only_match)
        and m.organisation_id = app_organisation_id()
        and m.case_id <> all (gone.cases)
        and m.user_id <> app_user_id()
        and (not open_only or m.status = 'open')
        and (exists (select from cases c where c.id = m.case_id and c.lead_id = app_user_id())
             or (app_role() = 'supervisor'
                 and exists (select from case_access a
                              where a.case_id = m.case_id and a.principal = any (app_principals())
                                and (a.expires_at is null or a.expires_at > app_now()))))
        and (before_at is null or (m.found_at, m.id) < (before_at, before_id))
      order by m.found_at desc, m.id desc
      limit least(at_most, 201)) m
    join cases c on c.id = m.case_id
    join users u on u.id = m.user_id
    left join users r on r.id = m.answered_by
   order by m.found_at desc, m.id desc
$$;

-- The lead answers; where the lead was taken away, or there is none, a supervisor who sees the case. The same person: a
-- decision like any other exclusion, which two people lift. Somebody else: it ends, on every case of the client.
-- Returns 'answered', 'answered_before', 'not_asked', or null when there is no such match for the caller.
create or replace function answer_match(the_case uuid, the_match uuid, same boolean, why bytea) returns text
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  m screening_matches;
begin
  perform lock_client_graph();
  select x.* into m
    from screening_matches x
   where x.id = the_match and x.case_id = the_case and exists (select from screening_known(only_match => the_match));
  if not found then
    return null;
  elsif not (app_leads(the_case) or m.led or exists (select from cases c where c.id = the_case and c.lead_id is null)) then
    return 'not_asked';
  elsif m.status <> 'open' then
    return 'answered_before';
  end if;
  update screening_matches
     set status = case when same then 'confirmed' else 'dismissed' end, answered_at = app_now(),
         answered_by = app_user_id(), sealed = why
   where id = m.id;
  if same then
    update case_exclusions set unanswered = false, created_by = app_user_id() where origin_id = m.id;
  else
    update case_exclusions set lifted_at = app_now(), lifted_by = app_user_id()
     where origin_id = m.id and lifted_at is null;
  end if;
  return 'answered';
end
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'put_match(uuid, uuid, text[])', 'screen(uuid, uuid)', 'screen_incident(uuid, bigint[])',
    'put_user_tokens(uuid, bigint[], bigint[], bigint[], boolean)', 'settle_user_private(uuid)', 'is_screened(uuid)',
    'screening_known(uuid, uuid, boolean, timestamptz, uuid, int)', 'answer_match(uuid, uuid, boolean, bytea)'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
  foreach f in array array[
    'lock_client_graph()', 'screen_incident(uuid, bigint[])',
    'put_user_tokens(uuid, bigint[], bigint[], bigint[], boolean)', 'settle_user_private(uuid)', 'is_screened(uuid)',
    'screening_known(uuid, uuid, boolean, timestamptz, uuid, int)', 'answer_match(uuid, uuid, boolean, bytea)'] loop
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
end
$$;

reset role;
