-- Anonymised exports (exports.md): which cases a release is made from, who may know of it, two people's yes, and its
-- withdrawal in the very transaction that erases one of the cases.
-- After 100 and 110, which take all policies and rights away first.

set local role samaki_definer;  -- who owns what follows

-- Has the organisation of the calling supervisor rows in this cohort?
create or replace function app_is_export_party(the_cohort uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select app_role() = 'supervisor'
         and exists (select from export_parties p
                      where p.cohort_id = the_cohort and p.organisation_id = app_organisation_id())
$$;

-- An auditor's request. `outcome`: 'new', 'known' (anybody's earlier one, whatever became of it), 'too_many' releases of
-- the cohort, 'withdrawn' (it is never issued again); null for who is no auditor.
create or replace function request_export(
    the_id uuid, the_profile text, the_version text, the_hash text, the_period text, at_most int)
  returns table (outcome text, id uuid)
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
  cohort export_cohorts;
begin
  if app_role() is distinct from 'auditor' then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('exports of ' || the_period, 0));
  select e.id into id from exports e
   where e.profile = the_profile and e.profile_version = the_version and e.period = the_period;
  if id is not null then
    return query select 'known', id;
    return;
  end if;
  select * into cohort from export_cohorts c where c.period = the_period;
  outcome := case when cohort.withdrawn_at is not null then 'withdrawn'
                  when (select count(*) from exports e where e.period = the_period and e.state <> 'refused') >= at_most
                  then 'too_many'
                  else 'new' end;
  if outcome = 'new' then
    -- Should two ever come here together, one of them fails and asks again: the ledger has one row for both.
    insert into exports (id, profile, profile_version, profile_hash, period, cohort_id, state, requested_by, requested_at)
    values (the_id, the_profile, the_version, the_hash, the_period, cohort.id, 'requested', app_user_id(), app_now());
  end if;
  return query select outcome, case when outcome = 'new' then the_id end;
end
$$;

-- The cohort of a quarter that is over, taken once, in a snapshot of the worker's: cases of signatory organisations whose
-- client agreed to statistics, opened in the quarter, or in an earlier one after whose freeze they were recorded (an hour
-- before counts as after, since what was being written then was not seen). Each case is in one cohort, for ever.
-- Returns their rows, without an id, in an order that says nothing: these columns and no others ever leave the tables.
create or replace function freeze_cohort(the_cohort uuid, the_period text, first date, last date)
  returns table (commune text, sex text, age int, category text, referral_type text, closure_outcome text,
                 disability text, id_poor text, assistance_kind text, assistance_amount_band text,
                 first_follow_up_band text, status text)
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
  zone constant text := 'Asia/Phnom_Penh';
  today constant date := (app_now() at time zone zone)::date;
begin
  insert into export_cohorts (id, period, starts_on, ends_on, frozen_at, cases)
  values (the_cohort, the_period, first, last, app_now(), 0);
  insert into export_members (case_id, organisation_id, cohort_id)
  select c.id, c.organisation_id, the_cohort
    from cases c
    join organisations o on o.id = c.organisation_id and o.signatory
   where c.erased_at is null
     and ((c.opened_at at time zone zone)::date between first and last
          or exists (select from export_cohorts k
                      where k.ends_on < first and (c.opened_at at time zone zone)::date between k.starts_on and k.ends_on
                        and c.created_at > k.frozen_at - interval '1 hour'))
     and exists (select from consents s
                  where s.case_id = c.id and s.purpose = 'statistics' and s.withdrawn_at is null
                    and s.obtained_on <= today and (s.expires_on is null or s.expires_on >= today))
  on conflict (case_id) do nothing;  -- a look into the table before it would be one for each row, at all the rows before
  insert into export_parties (cohort_id, organisation_id)
  select distinct the_cohort, m.organisation_id from export_members m where m.cohort_id = the_cohort;
  update export_cohorts set cases = (select count(*) from export_members m where m.cohort_id = the_cohort)
   where id = the_cohort;
  return query
  select c.commune_code::text, c.client_sex::text,
         case when c.client_age_band <> 'unknown' then left(c.client_age_band, 2)::int end,
         c.category::text,
         case when r.kinds > 1 then 'several' else r.kind end,
         case when c.status = 'closed' then c.outcome::text end,
         case c.client_disability when true then 'yes' when false then 'no' end,
         h.id_poor_level::text,
         case when a.kinds > 1 then 'several' else a.kind end,
         case when a.cents < 1000 then 'under_10_usd' when a.cents < 2500 then '10_to_24_usd'
              when a.cents < 5000 then '25_to_49_usd' when a.cents < 10000 then '50_to_99_usd'
              when a.cents >= 10000 then '100_usd_and_more' end,
         case when f.days <= 7 then 'up_to_7_days' when f.days <= 14 then '8_to_14_days'
              when f.days <= 30 then '15_to_30_days' when f.days <= 90 then '31_to_90_days'
              when f.days > 90 then 'over_90_days' end,
         c.status::text
    from export_members m
    join cases c on c.id = m.case_id
    left join people p on p.id = c.client_id
    left join households h on h.id = p.household_id
    left join lateral (select count(distinct r.sector) as kinds, min(r.sector)::text as kind from referrals r
                        where r.case_id = c.id and r.direction = 'out' and r.status <> 'entered_in_error') r on true
    -- Forty riel are a cent, roughly, for ever: a band must not move with a rate.
    left join lateral (select count(distinct a.kind) as kinds, min(a.kind)::text as kind,
                              sum(case a.currency when 'KHR' then a.approved_minor / 40 else a.approved_minor end) as cents
                         from assistance_requests a
                        where a.case_id = c.id and a.status in ('approved', 'part_paid', 'paid')) a on true
    left join lateral (select (min(f.happened_at) at time zone zone)::date - (c.opened_at at time zone zone)::date as days
                         from follow_ups f where f.case_id = c.id) f on true
   where m.cohort_id = the_cohort
   order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;
end
$$;

-- Keeps the rows of a cohort that was just taken, sealed with a key of their own.
create or replace function seal_cohort(the_cohort uuid, the_rows bytea, the_kek text, the_key bytea) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update export_cohorts set sealed = the_rows where id = the_cohort and sealed is null and withdrawn_at is null;
  insert into vault.data_keys (home, organisation_id, kek_id, wrapped, part)
  values (the_cohort, the_cohort, the_kek, the_key, 'export');
end
$$;

-- The reports of the same quarter that these organisations have submitted until now: what they tell is audited together
-- with the release.
create or replace function told_of_cohort(the_cohort uuid) returns table (body text)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select v.body
    from export_cohorts c
    join export_parties p on p.cohort_id = c.id
    join report_versions v on v.organisation_id = p.organisation_id and v.period = c.period
   where c.id = the_cohort
$$;

-- No report of these organisations is submitted until the transaction ends; what is being submitted is waited for. The lock
-- of app/services/report_versions.py, always in the same order.
create or replace function hold_reports_of_cohort(the_cohort uuid) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  party uuid;
begin
  for party in select p.organisation_id from export_parties p where p.cohort_id = the_cohort order by 1 loop
    perform pg_advisory_xact_lock(hashtextextended('report of ' || party::text, 0));
  end loop;
end
$$;

-- What releases tell of the cases of an organisation: for its reports, which must not tell the rest of it. A frozen one is
-- about to be released, and what a withdrawn one has told stays known.
create or replace function told_by_releases(the_organisation uuid) returns table (period text, attribute text, value text)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select distinct e.period::text, t ->> 'attribute', t ->> 'value'
    from export_parties p
    join exports e on e.cohort_id = p.cohort_id
   cross join lateral jsonb_array_elements(e.told) t
   where p.organisation_id = the_organisation
   order by 1, 2, 3
$$;

-- The same for the live reports of the calling supervisor.
create or replace function told_by_own_releases() returns table (period text, attribute text, value text)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select t.period, t.attribute, t.value from told_by_releases(app_organisation_id()) t where app_role() = 'supervisor'
$$;

-- The organisations whose yes an export needs, where the caller knows of it.
create or replace function export_approvals_of(the_exports uuid[])
  returns table (export_id uuid, organisation_id uuid, given boolean)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select e.id, p.organisation_id,
         exists (select from export_approvals a where a.export_id = e.id and a.organisation_id = p.organisation_id)
    from exports e
    join export_parties p on p.cohort_id = e.cohort_id
   where e.id = any (the_exports) and e.state in ('frozen', 'released')
     and (app_role() = 'auditor' or app_is_export_party(e.cohort_id))
   order by e.id, p.organisation_id
$$;

-- A supervisor's yes for her organisation to what she has read. `outcome`: 'approved', 'not_frozen' (yet), 'withdrawn',
-- 'answered' (for her organisation), 'same_person' (asked for it, or approved another release of these cases),
-- 'outdated' (another manifest), or null where there is nothing for her.
create or replace function approve_export(the_export uuid, the_sha256 text) returns text
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  e exports;
begin
  select * into e from exports x where x.id = the_export and app_is_export_party(x.cohort_id) for update;
  if e.id is null then
    return null;
  elsif e.state = 'withdrawn' then
    return 'withdrawn';
  elsif exists (select from export_approvals a
                 where a.export_id = e.id and a.organisation_id = app_organisation_id()) then
    return 'answered';
  elsif e.state <> 'frozen' then
    return 'not_frozen';
  elsif e.requested_by = app_user_id()
        or exists (select from export_approvals a join exports x on x.id = a.export_id
                    where x.cohort_id = e.cohort_id and a.approved_by = app_user_id()) then
    return 'same_person';
  elsif e.manifest_sha256 is distinct from the_sha256 then
    return 'outdated';
  end if;
  insert into export_approvals (export_id, organisation_id, approved_by, approved_at, manifest_sha256)
  values (e.id, app_organisation_id(), app_user_id(), app_now(), the_sha256);
  update exports x set state = 'released', released_at = app_now()
   where x.id = e.id
     and not exists (select from export_parties p
                      where p.cohort_id = e.cohort_id
                        and not exists (select from export_approvals a
                                         where a.export_id = e.id and a.organisation_id = p.organisation_id));
  return 'approved';
end
$$;

-- A member was erased, by whatever way: every release of its cohort ends with it, and can never be made again.
create or replace function on_export_member_gone() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update export_cohorts set withdrawn_at = coalesce(withdrawn_at, app_now()), sealed = null where id = old.cohort_id;
  delete from vault.data_keys where home = old.cohort_id;
  update exports
     set state = 'withdrawn', withdrawn_at = app_now(), report = null, manifest_sha256 = null, known = null, code = null,
         stage = null, run = null
   where cohort_id = old.cohort_id and state not in ('refused', 'withdrawn');
  delete from export_files f where f.export_id in (select e.id from exports e where e.cohort_id = old.cohort_id);
  return null;
end
$$;

do $$
declare
  f text;
begin
  foreach f in array array['app_is_export_party(uuid)', 'request_export(uuid, text, text, text, text, int)',
                           'freeze_cohort(uuid, text, date, date)', 'seal_cohort(uuid, bytea, text, bytea)',
                           'told_of_cohort(uuid)', 'hold_reports_of_cohort(uuid)', 'told_by_releases(uuid)',
                           'told_by_own_releases()', 'export_approvals_of(uuid[])', 'approve_export(uuid, text)',
                           'on_export_member_gone()'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
  foreach f in array array['app_is_export_party(uuid)', 'request_export(uuid, text, text, text, text, int)',
                           'export_approvals_of(uuid[])', 'approve_export(uuid, text)', 'told_by_own_releases()'] loop
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
  foreach f in array array['freeze_cohort(uuid, text, date, date)', 'seal_cohort(uuid, bytea, text, bytea)',
                           'told_of_cohort(uuid)', 'hold_reports_of_cohort(uuid)'] loop
    execute format('grant execute on function %s to samaki_worker', f);
  end loop;
end
$$;
grant execute on function told_by_releases(uuid) to samaki_reports;
grant execute on function on_export_member_gone() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

create or replace trigger export_member_gone after delete on export_members
  for each row execute function on_export_member_gone();

do $$
declare
  t text;
  p record;
begin
  for p in select policyname, tablename from pg_policies where tablename ~ '^exports?(_|$)' loop
    execute format('drop policy %I on %I', p.policyname, p.tablename);  -- this file may run alone
  end loop;
  foreach t in array array['export_cohorts', 'export_members', 'export_parties', 'exports', 'export_approvals',
                           'export_files', 'export_chunks'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
  end loop;
  -- The ledger is for auditors, and for supervisors of who has rows in it, once that is known.
  execute 'create policy see on exports for select to samaki_runtime
             using (app_role() = ''auditor'' or app_is_export_party(cohort_id))';
  -- What was released is for auditors, and for nobody before it is; but whoever approves reads the pages on its risks and
  -- what is signed, from when it is frozen.
  foreach t in array array['export_files', 'export_chunks'] loop
    execute format('create policy see on %1$I for select to samaki_runtime
                      using (app_role() = ''auditor'' and exists (select from exports e
                                                                   where e.id = %1$I.export_id and e.state = ''released''))', t);
    execute format('create policy review on %1$I for select to samaki_runtime
                      using (name in (''manifest.json'', ''risk-en.html'', ''risk-km.html'')
                             and exists (select from exports e
                                          where e.id = %1$I.export_id and e.state in (''frozen'', ''released'')
                                            and app_is_export_party(e.cohort_id)))', t);
  end loop;
  -- The worker freezes: it reads the rows of a cohort, which name nobody, writes files and says how far it is.
  foreach t in array array['exports', 'export_cohorts', 'export_files', 'export_chunks'] loop
    execute format('create policy freezing on %I to samaki_worker using (true) with check (true)', t);
  end loop;
end
$$;

grant select on exports, export_files, export_chunks to samaki_runtime;
grant select on exports, export_cohorts to samaki_worker;
grant select, insert on export_files, export_chunks to samaki_worker;
grant update (cohort_id, state, code, stage, share, known, report, told, manifest_sha256, tries, not_before, run, lease_until,
              frozen_at, withdrawn_at)
  on exports to samaki_worker;
grant select, insert, update on export_cohorts, exports to samaki_definer;
grant select, insert on export_members, export_parties, export_approvals to samaki_definer;
grant select, delete on export_files to samaki_definer;
grant select, delete on export_members to samaki_definer;  -- as erasure takes every table with a case_id
grant select on households, referrals, assistance_requests, report_versions to samaki_definer;
grant insert on vault.data_keys to samaki_definer;
