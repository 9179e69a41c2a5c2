-- What the quarterly report counts of cases, and what it has told: the flow of cases is written by triggers and read by
-- the reports role; a submitted version is written once.
-- After 100 and 110, which take all policies and rights away first.

set local role samaki_definer;  -- who owns what follows

-- One entry or exit. What is received after its day was reported, or a later one, counts when it is received. Whether a
-- case is in the figures was decided with the first report that had a row of it, and stays.
create or replace function put_case_flow(c cases, the_kind text, does_enter boolean, at timestamptz, the_moved text default null)
  returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  is_late constant boolean := exists (
    select from report_versions v
     where v.organisation_id = c.organisation_id and v.submitted_at < app_now()
       and (put_case_flow.at at time zone 'Asia/Phnom_Penh')::date <= v.ends_on);
  was_decided boolean;
  counts boolean;
begin
  select coalesce(bool_or(g.decided), false), coalesce(bool_or(g.decided and g.statistics), false)
    into was_decided, counts from case_flow g where g.case_id = c.id;
  insert into case_flow (id, case_id, organisation_id, at, kind, enters, moved, commune_code, category, client_sex,
                         client_age_band, client_disability, sensitive, late, decided, statistics)
  values (gen_random_uuid(), c.id, c.organisation_id, case when is_late then app_now() else put_case_flow.at end,
          the_kind, does_enter, the_moved, c.commune_code, c.category, c.client_sex, c.client_age_band,
          c.client_disability, c.sensitivity = 'sensitive', is_late, was_decided, counts);
end
$$;

create or replace function on_case_flows() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  was_open boolean;
  is_open constant boolean := new.status <> 'closed' and new.erased_at is null;
  how text;
begin
  if tg_op = 'INSERT' then
    perform put_case_flow(new, 'opened', true, new.opened_at);
    if not is_open then
      perform put_case_flow(new, 'closed', false, coalesce(new.closed_at, app_now()));
    end if;
    return null;
  end if;
  was_open := old.status <> 'closed' and old.erased_at is null;
  if new.erased_at is not null and old.erased_at is null then
    if was_open then
      perform put_case_flow(old, 'erased', false, app_now());
    end if;
    -- As the case itself: what is left is counted by month, and this last row as those before it.
    update case_flow f
       set at = date_trunc('month', f.at at time zone 'Asia/Phnom_Penh') at time zone 'Asia/Phnom_Penh',
           statistics = exists (select from case_flow g where g.case_id = new.id and g.statistics)
     where f.case_id = new.id;
  elsif was_open and not is_open then
    perform put_case_flow(old, case when new.closure_reason = 'transferred' then 'moved_out' else 'closed' end, false,
                          coalesce(new.closed_at, app_now()));
  elsif is_open and not was_open then
    perform put_case_flow(new, 'reopened', true, app_now());
  elsif is_open and (new.category, new.commune_code) is distinct from (old.category, old.commune_code) then
    how := case when new.category = old.category then 'commune' when new.commune_code = old.commune_code then 'category'
                else 'both' end;
    perform put_case_flow(old, 'moved_out', false, app_now(), how);
    perform put_case_flow(new, 'moved_in', true, app_now(), how);
  end if;
  if new.sensitivity <> old.sensitivity then  -- it never goes back; after the rows above, which are of the old case
    update case_flow f set sensitive = true where f.case_id = new.id;
  end if;
  return null;
end
$$;

-- A case that another organisation handed over has moved in.
create or replace function on_case_moved_in() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update case_flow set kind = 'moved_in' where case_id = new.opened_case_id and kind = 'opened';
  return null;
end
$$;

-- Erasure takes the consent before the case: whether the case was counted must outlive both.
create or replace function on_statistics_gone() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update case_flow set statistics = true
   where case_id = old.case_id and not decided
     and (old.expires_on is null or old.expires_on >= (app_now() at time zone 'Asia/Phnom_Penh')::date);
  return null;
end
$$;

-- The flow of the cases that the calling supervisor sees, summed: by slice and by quarter, of which `starts` are the
-- first moments (bucket 0 is before all of them), until `after`. The reports role does the same over the whole table.
create or replace function case_flow_seen(starts timestamptz[], after timestamptz, today date)
  returns table (bucket int, kind text, moved text, commune text, category text, sex text, age_band text,
                 disability boolean, cases int)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select width_bucket(f.at, starts), f.kind::text, f.moved::text, f.commune_code::text, f.category::text,
         f.client_sex::text, f.client_age_band::text, f.client_disability, count(*)::int
    from (select app_excluded_cases() as cases offset 0) gone
   cross join case_flow f
   where app_role() = 'supervisor' and f.organisation_id = app_organisation_id() and f.at < after
     and f.case_id <> all (gone.cases)
     and f.case_id in (select a.case_id from case_access a
                        where a.principal = any (app_principals()) and (a.expires_at is null or a.expires_at > app_now()))
     and case when f.decided then f.statistics
              else f.case_id in (select k.case_id from consents k
                                  where k.organisation_id = app_organisation_id() and k.purpose = 'statistics'
                                    and k.withdrawn_at is null
                                    and k.obtained_on <= today and (k.expires_on is null or k.expires_on >= today)) end
   group by 1, 2, 3, 4, 5, 6, 7, 8
$$;

-- The cases behind one figure of the calling supervisor: those that took this step within [first, after), in this commune
-- if one is named, or that were open before it or afterwards.
create or replace function case_flow_behind(
    step text, first timestamptz, after timestamptz, today date, the_commune text default null)
  returns table (case_id uuid)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select f.case_id
    from (select app_excluded_cases() as cases offset 0) gone
   cross join case_flow f
   where app_role() = 'supervisor' and f.organisation_id = app_organisation_id() and f.at < after
     and f.case_id <> all (gone.cases)
     and f.case_id in (select a.case_id from case_access a
                        where a.principal = any (app_principals()) and (a.expires_at is null or a.expires_at > app_now()))
     and case when f.decided then f.statistics
              else f.case_id in (select k.case_id from consents k
                                  where k.organisation_id = app_organisation_id() and k.purpose = 'statistics'
                                    and k.withdrawn_at is null
                                    and k.obtained_on <= today and (k.expires_on is null or k.expires_on >= today)) end
   group by f.case_id
  having case step when 'before' then sum(case when f.enters then 1 else -1 end) filter (where f.at < first) > 0
                   when 'afterwards' then sum(case when f.enters then 1 else -1 end) > 0
                   else bool_or(f.kind = step and f.moved is null and f.at >= first
                                and (the_commune is null or f.commune_code = the_commune)) end
$$;

-- What a report that is submitted says of cases is said for ever: whether a case is in its figures is decided, once, for
-- each that came before the end of its period, and no consent that is withdrawn or given later takes it out or in. Else the
-- difference of two reports would be the woman who changed her mind. No consent changes while the report is counted.
create or replace function decide_statistics(before timestamptz, today date) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if app_role() is distinct from 'supervisor' then
    raise insufficient_privilege;
  end if;
  lock table consents in share mode;
  update case_flow f
     set decided = true,
         statistics = f.statistics or f.case_id in (select k.case_id from consents k
                                                     where k.organisation_id = app_organisation_id()
                                                       and k.purpose = 'statistics' and k.withdrawn_at is null
                                                       and k.obtained_on <= today
                                                       and (k.expires_on is null or k.expires_on >= today))
   where f.organisation_id = app_organisation_id() and not f.decided
     and f.case_id in (select g.case_id from case_flow g
                        where g.organisation_id = app_organisation_id() and g.at < before);
end
$$;

-- Beside caseload_counts (140): how the work of each lead runs, as far as the calling supervisor sees the cases. A stub is
-- among the open ones there and says no more here.
create or replace function caseload_seen(first timestamptz, after timestamptz)
  returns table (lead_id uuid, high bigint, medium bigint, low bigint, not_assessed bigint, opened bigint, closed bigint)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select c.lead_id,
         count(*) filter (where c.status <> 'closed' and c.risk_level = 'high'),
         count(*) filter (where c.status <> 'closed' and c.risk_level = 'medium'),
         count(*) filter (where c.status <> 'closed' and c.risk_level = 'low'),
         count(*) filter (where c.status <> 'closed' and c.risk_level = 'not_assessed'),
         count(*) filter (where c.opened_at >= first and c.opened_at < after),
         count(*) filter (where c.status = 'closed' and c.closed_at >= first and c.closed_at < after)
    from (select app_excluded_cases() as cases offset 0) gone
   cross join cases c
   where app_role() = 'supervisor' and c.organisation_id = app_organisation_id() and c.erased_at is null
     and (c.status <> 'closed' or c.closed_at >= first or c.opened_at >= first)
     and c.id <> all (gone.cases)
     and c.id in (select a.case_id from case_access a
                   where a.principal = any (app_principals()) and (a.expires_at is null or a.expires_at > app_now()))
   group by c.lead_id
$$;

do $$
declare
  f text;
begin
  foreach f in array array['put_case_flow(cases, text, boolean, timestamptz, text)', 'on_case_flows()',
                           'on_case_moved_in()', 'on_statistics_gone()',
                           'case_flow_seen(timestamptz[], timestamptz, date)',
                           'case_flow_behind(text, timestamptz, timestamptz, date, text)',
                           'decide_statistics(timestamptz, date)',
                           'caseload_seen(timestamptz, timestamptz)'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
end
$$;
grant execute on function case_flow_seen(timestamptz[], timestamptz, date) to samaki_runtime;
grant execute on function case_flow_behind(text, timestamptz, timestamptz, date, text) to samaki_runtime;
grant execute on function decide_statistics(timestamptz, date) to samaki_runtime;
grant execute on function caseload_seen(timestamptz, timestamptz) to samaki_runtime;
-- The owner of the tables makes the triggers.
grant execute on function on_case_flows(), on_case_moved_in(), on_statistics_gone() to samaki_owner;

reset role;

-- The loader writes the flow of its cases itself, of thousands at once.
create or replace trigger case_comes after insert on cases
  for each row when (current_user <> 'samaki_loader') execute function on_case_flows();
create or replace trigger case_flows after update of status, category, commune_code, sensitivity, erased_at on cases
  for each row when (current_user <> 'samaki_loader') execute function on_case_flows();
create or replace trigger case_moved_in after update of opened_case_id on transfers
  for each row when (new.opened_case_id is not null) execute function on_case_moved_in();
create or replace trigger statistics_gone after delete on consents
  for each row when (old.purpose = 'statistics' and old.withdrawn_at is null) execute function on_statistics_gone();

do $$
declare
  t text;
  p record;
  by_supervisor constant text := '(app_role() = ''supervisor'' and organisation_id = app_organisation_id())';
begin
  for p in select policyname, tablename from pg_policies
            where tablename in ('case_flow', 'report_versions', 'report_targets') loop
    execute format('drop policy %I on %I', p.policyname, p.tablename);  -- this file may run alone
  end loop;
  foreach t in array array['case_flow', 'report_versions', 'report_targets'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
    execute format('create policy count on %I for select to samaki_reports using (true)', t);
  end loop;
  -- What was submitted is for supervisors of the organisation, and for auditors, whichever organisation it is of.
  execute 'create policy see on report_versions for select to samaki_runtime using ('
          || by_supervisor || ' or app_role() = ''auditor'')';
  execute 'create policy add on report_versions for insert to samaki_runtime with check (submitted_by = app_user_id() and '
          || by_supervisor || ')';
  execute 'create policy see on report_targets for select to samaki_runtime using ' || by_supervisor;
  execute 'create policy add on report_targets for insert to samaki_runtime with check (set_by = app_user_id() and '
          || by_supervisor || ')';
  execute 'create policy change on report_targets for update to samaki_runtime using ' || by_supervisor
          || ' with check (set_by = app_user_id() and ' || by_supervisor || ')';
end
$$;

grant select, insert, update on case_flow to samaki_definer;
grant select on report_versions to samaki_definer;
grant select, insert on report_versions, report_targets to samaki_runtime;
grant update (targets, set_by, set_at) on report_targets to samaki_runtime;
-- No id of a row, and nothing that leads to a person.
grant select (case_id, organisation_id, at, kind, enters, moved, commune_code, category, client_sex, client_age_band,
              client_disability, sensitive, late, decided, statistics) on case_flow to samaki_reports;
grant select on report_versions, report_targets to samaki_reports;
-- Which of several organisations is meant, where the command line names none.
grant select (signatory) on organisations to samaki_reports;
