-- The trail. Appending is one function with two doors: for who is calling, and for who could not be let in. Nobody
-- changes or takes away a row, no role reads the table, and readers get what their sight of cases allows.
set local role samaki_definer;  -- who owns what follows

-- The text under a row's hash: every column of it, in order, and unambiguous by the table's constraints.
create or replace function audit_text(e audit_events) returns text
  language sql stable parallel safe
  return concat_ws('|', e.shard, e.seq, e.id, (extract(epoch from e.at) * 1000000)::bigint, coalesce(e.actor_id::text, ''),
                   e.kind, e.action, e.status, coalesce(e.reason, ''), array_to_string(e.case_ids, ','),
                   array_to_string(e.via, ','), coalesce(e.subject_id::text, ''), coalesce(e.request_id, ''),
                   coalesce(encode(e.account, 'hex'), ''), coalesce(encode(e.address, 'hex'), ''), e.counted);

-- The sixteen chains are chosen by the last four bits of an id (or of a keyed hash), which are random.
create or replace function audit_shard(chosen_by bytea) returns smallint
  language sql immutable parallel safe
  return (get_byte(chosen_by, length(chosen_by) - 1) & 15)::smallint;

-- Who appends waits for the head of the chain and holds it until the end of the transaction: this comes last.
create or replace function put_audit_event(e audit_events) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  before bytea;
begin
  e.id := gen_random_uuid();
  e.at := app_now();
  select h.seq + 1, h.hash into e.seq, before from audit_heads h where h.shard = e.shard for update;
  e.hash := sha256(before || convert_to(audit_text(e), 'UTF8'));
  insert into audit_events select e.*;
  update audit_heads h set seq = e.seq, hash = e.hash where h.shard = e.shard;
end
$$;

-- For who is calling: the actor is the one whom begin_request() found, never an argument.
create or replace function append_audit_event(
    the_kind text, the_action text, the_status int, the_reason text, the_cases uuid[], the_via text[], the_subject uuid,
    the_request text)
  returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  e audit_events;
begin
  e.actor_id := coalesce(app_user_id(), nullif(current_setting('samaki.owing', true), '')::uuid);
  if e.actor_id is null then
    raise insufficient_privilege using message = 'nobody is calling';
  end if;
  e.shard := audit_shard(uuid_send(case when cardinality(the_cases) = 1 then the_cases[1] else e.actor_id end));
  e.kind := the_kind;
  e.action := the_action;
  e.status := the_status;
  e.reason := the_reason;
  e.case_ids := the_cases;
  e.via := the_via;
  e.subject_id := the_subject;
  e.request_id := the_request;
  e.counted := 1;
  perform put_audit_event(e);
end
$$;

-- For refusals, whose own transaction was rolled back, and for sign-ins: the actor is whose session it is, if any.
-- Ids are taken as they were asked for and looked up nowhere, so that hidden and unknown ones are the same work.
create or replace function append_audit_apart(
    the_session uuid, clock timestamptz, the_kind text, the_action text, the_status int, the_reason text, the_case uuid,
    the_subject uuid, the_request text, the_account bytea, the_address bytea, times int)
  returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  e audit_events;
begin
  perform set_config('samaki.now', coalesce(clock::text, ''), true);
  e.actor_id := (select s.user_id from sessions s where s.id = the_session);
  e.shard := audit_shard(coalesce(uuid_send(e.actor_id), the_address, '\x00'));
  e.kind := the_kind;
  e.action := the_action;
  e.status := the_status;
  e.reason := the_reason;
  e.case_ids := array_remove(array[the_case], null);
  e.via := '{}';
  e.subject_id := the_subject;
  e.request_id := the_request;
  e.account := the_account;
  e.address := the_address;
  e.counted := times;
  perform put_audit_event(e);
end
$$;

-- Does the caller see the case itself, not only its stub?
create or replace function app_sees_case(the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from app_ways(the_case))
$$;

-- What was done to that part of a case which few may read (access.md): the name alone would tell that there is something.
create or replace function is_for_few(the_action text) returns boolean
  language sql immutable parallel safe
  return the_action in ('read_whereabouts', 'replace_whereabouts', 'remove_whereabouts');

-- May the caller read that part?
create or replace function app_is_of_few(the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from app_ways(the_case) w where w.via in ('lead', 'assigned'))
$$;

-- A page of the trail, newest first. A supervisor reads of the cases that she sees, and their ids alone; an
-- administrator of accounts and settings; an auditor of exports. Of what is for few, who is none of them reads that somebody
-- may not ask (403), which is answered the same whether there is anything or not. At most `examined` rows are looked at: the last of
-- them comes along with `shown` false when the page did not fill.
create or replace function audit_page(
    the_case uuid, the_actor uuid, the_action text, since timestamptz, before_at timestamptz, before_id uuid, at_most int,
    examined int default 5000)
  returns table (id uuid, at timestamptz, actor_id uuid, actor_name text, action text, status int, reason text,
                 case_ids uuid[], via text[], subject_id uuid, request_id text, counted int, shown boolean)
  language plpgsql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  reader text := app_role();
  kinds text[] := case reader when 'admin' then array['account', 'settings'] when 'auditor' then array['export'] end;
  newest text;
  found int;
begin
  if reader is null or not (reader = 'supervisor' or kinds is not null) then
    return;
  end if;
  if the_case is not null and not (reader = 'supervisor' and app_sees_case(the_case)) then
    return;
  end if;
  newest := 'select * from audit_events e where true'
    || case when kinds is not null then ' and e.kind <> ''casework'' and e.kind = any ($1)' else '' end
    || case when the_case is not null then ' and e.case_ids @> array[$2]' else '' end
    || case when the_actor is not null then ' and e.actor_id = $3' else '' end
    || case when the_action is not null then ' and e.action = $4' else '' end
    || case when since is not null then ' and e.at > $5' else '' end
    || case when before_at is not null then ' and (e.at, e.id) < ($6, $7)' else '' end
    || ' order by e.at desc, e.id desc';
  return query execute format($q$
    select e.id, e.at, e.actor_id, u.display_name::text, e.action::text, e.status::int, e.reason::text, seen.ids, seen.ways,
           e.subject_id, e.request_id::text, e.counted, true
      from (%s limit $9 offset 0) e
      left join users u on u.id = e.actor_id
     cross join lateral (
       select coalesce(array_agg(c.id order by c.n), '{}') as ids,
              coalesce(array_agg(c.way::text order by c.n) filter (where c.way is not null), '{}') as ways
         from unnest(e.case_ids, e.via) with ordinality c (id, way, n)
        where $1 is null and c.id <> all ($11)
          and exists (select from case_access a where a.case_id = c.id and a.principal = any ($10)
                         and (a.expires_at is null or a.expires_at > app_now()))
          and case when is_for_few(e.action) and e.status <> 403 then app_is_of_few(c.id) else true end
     ) seen
     where $1 is not null
        or (cardinality(seen.ids) > 0 and (e.status < 400 or e.actor_id is distinct from app_user_id()))
     order by e.at desc, e.id desc
     limit $8
    $q$, newest)
    using kinds, the_case, the_actor, the_action, since, before_at, before_id, at_most, examined, app_principals(),
          app_excluded_cases();
  get diagnostics found = row_count;
  if found < at_most then
    return query execute format($q$
      select e.id, e.at, null::uuid, null::text, null::text, null::int, null::text, null::uuid[], null::text[], null::uuid,
             null::text, null::int, false
        from (%s offset $8 - 1 limit 1) e
      $q$, newest)
      using kinds, the_case, the_actor, the_action, since, before_at, before_id, examined;
  end if;
end
$$;

-- Who was shown a case, newest first; for the lead and the supervisors who see it.
create or replace function access_report(the_case uuid, before_at timestamptz, before_id uuid, at_most int)
  returns table (id uuid, at timestamptz, actor_id uuid, actor_name text, role text, organisation text, action text,
                 via text)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select e.id, e.at, e.actor_id, u.display_name::text, u.role::text, o.name::text, e.action::text,
         e.via[array_position(e.case_ids, the_case)]::text
    from audit_events e
    left join users u on u.id = e.actor_id
    left join organisations o on o.id = u.organisation_id
   where app_sees_case(the_case) and (app_leads(the_case) or app_supervises(the_case))
     and e.case_ids @> array[the_case] and e.status < 400
     and (not is_for_few(e.action) or app_is_of_few(the_case))
     and (before_at is null or (e.at, e.id) < (before_at, before_id))
   order by e.at desc, e.id desc
   limit at_most
$$;

-- A week of everybody but the reader, over the cases that the reader sees or oversees, in counts by person.
create or replace function insider_report(from_at timestamptz, to_at timestamptz, at_most int)
  returns table (actor_id uuid, actor_name text, role text, denied_where_excluded bigint, denied bigint, reads bigint,
                 cases bigint, reads_per_case numeric, usual_reads_per_case numeric, far_above_colleagues boolean,
                 outside_commune bigint, at_night bigint)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  with gone as materialized (select app_excluded_cases() as cases),
  touched as (
    select e.actor_id, e.at, c.id as case_id, c.commune_code, u.communes, u.role,
           e.status < 400 and e.action ~ '^(read|list|count)_' as is_read,
           e.status in (403, 404) as is_denied
      from audit_events e
      join users u on u.id = e.actor_id
      join cases c on c.id = e.case_ids[1]
     where app_role() = 'supervisor'
       and e.at >= from_at and e.at < to_at
       and cardinality(e.case_ids) = 1
       and e.actor_id <> app_user_id()
       and case when is_for_few(e.action) and e.status <> 403 then app_is_of_few(c.id) else true end
       and c.id <> all ((select g.cases from gone g)::uuid[])
       and (c.organisation_id = app_organisation_id()
            or exists (select from case_access a where a.case_id = c.id and a.principal = any (app_principals())
                          and (a.expires_at is null or a.expires_at > app_now())))
  ),
  per_person as (
    select t.actor_id, t.role,
           count(*) filter (where t.is_denied and exists (
             select from case_exclusions x where x.user_id = t.actor_id and x.case_id = t.case_id and x.lifted_at is null))
             as denied_where_excluded,
           count(*) filter (where t.is_denied) as denied,
           count(*) filter (where t.is_read) as reads,
           count(distinct t.case_id) filter (where t.is_read) as cases,
           count(*) filter (where t.is_read and cardinality(t.communes) > 0 and t.commune_code <> all (t.communes))
             as outside_commune,
           count(*) filter (where t.is_read and extract(hour from t.at at time zone 'Asia/Phnom_Penh') not between 6 and 19)
             as at_night
      from touched t
     group by t.actor_id, t.role
  ),
  weighed as (
    select p.*, round(p.reads::numeric / greatest(p.cases, 1), 2) as reads_per_case,
           (select round(percentile_cont(0.5) within group (order by o.reads::float8 / o.cases)::numeric, 2)
              from per_person o where o.role = p.role and o.actor_id <> p.actor_id and o.cases > 0) as usual
      from per_person p
  )
  select w.actor_id, u.display_name::text, w.role::text, w.denied_where_excluded, w.denied, w.reads, w.cases,
         w.reads_per_case, w.usual, coalesce(w.reads >= 10 and w.reads_per_case > 3 * w.usual, false), w.outside_commune,
         w.at_night
    from weighed w
    join users u on u.id = w.actor_id
   order by w.denied_where_excluded desc, 10 desc, w.outside_commune desc, w.at_night desc, w.denied desc, w.reads desc,
            w.actor_id
   limit at_most
$$;

-- The heads as they are, the newest signed ones, the newest verification; for administrators and auditors.
create or replace function audit_state() returns jsonb
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select jsonb_build_object(
    'heads', (select jsonb_agg(jsonb_build_object('shard', h.shard, 'seq', h.seq, 'hash', encode(h.hash, 'hex'))
                               order by h.shard) from audit_heads h),
    'signed', (select jsonb_build_object('at', s.at, 'statement', s.statement, 'key_id', s.key_id,
                                         'signature', encode(s.signature, 'hex'))
                 from audit_signatures s order by s.at desc limit 1),
    'verified', (select jsonb_build_object('at', v.at, 'rows', v.rows, 'intact', v.faults = '[]', 'faults', v.faults)
                   from audit_verifications v order by v.at desc limit 1))
   where app_role() in ('admin', 'auditor')
$$;

create or replace function on_trail_touched() returns trigger
  language plpgsql
as $$
begin
  raise insufficient_privilege using message = 'a trail is only ever appended to';
end
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'audit_text(audit_events)', 'audit_shard(bytea)', 'put_audit_event(audit_events)', 'app_sees_case(uuid)',
    'is_for_few(text)', 'app_is_of_few(uuid)',
    'append_audit_event(text, text, int, text, uuid[], text[], uuid, text)',
    'append_audit_apart(uuid, timestamptz, text, text, int, text, uuid, uuid, text, bytea, bytea, int)',
    'audit_page(uuid, uuid, text, timestamptz, timestamptz, uuid, int, int)',
    'access_report(uuid, timestamptz, uuid, int)', 'insider_report(timestamptz, timestamptz, int)', 'audit_state()',
    'on_trail_touched()'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
  foreach f in array array[
    'append_audit_event(text, text, int, text, uuid[], text[], uuid, text)',
    'append_audit_apart(uuid, timestamptz, text, text, int, text, uuid, uuid, text, bytea, bytea, int)',
    'audit_page(uuid, uuid, text, timestamptz, timestamptz, uuid, int, int)',
    'access_report(uuid, timestamptz, uuid, int)', 'insider_report(timestamptz, timestamptz, int)', 'audit_state()'] loop
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
end
$$;

grant execute on function on_trail_touched() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

-- Beside the missing rights: whoever has them all the same, the owner included, is stopped here.
create or replace trigger trail_touched before update or delete or truncate on audit_events
  for each statement execute function on_trail_touched();
