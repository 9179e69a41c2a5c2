-- The records of the programme (community.md): each organisation's own. Activities, commitments and feedback are for
-- liaisons too; who is named at an activity, and a visit that leads to a case, are for few.
-- After 100 and 110, which take all policies and rights away first.

set local role samaki_definer;  -- who owns what follows

-- The key of words that are gone goes with them.
create or replace function on_words_gone() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  delete from vault.data_keys where home = old.id;
  return null;
end
$$;
revoke all on function on_words_gone() from public;
grant execute on function on_words_gone() to samaki_owner;  -- who owns the tables and so makes the triggers

-- May the caller see this visit? The row policy decides; this is asked before it is, because the policy begins to work
-- only when there is a row, and a hidden visit would so take longer than one that does not exist.
create or replace function app_sees_visit(the_visit uuid) returns boolean
  language plpgsql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  v record;
  its_case uuid;
  open_to_staff boolean;
begin
  select h.case_id, h.protected, h.created_by, h.organisation_id, h.erased into v from home_visits h where h.id = the_visit;
  its_case := coalesce(v.case_id, the_visit);  -- that is no case: nothing is found there, by the same steps
  open_to_staff := (v.organisation_id = app_organisation_id() and app_role() in ('caseworker', 'supervisor')
                    and (not v.protected or v.created_by = app_user_id())) is true;
  return its_case <> all (app_excluded_cases())
     and not coalesce(v.erased, false)
     and (exists (select from case_access a
                   where a.case_id = its_case and a.principal = any (app_principals())
                     and (a.expires_at is null or a.expires_at > app_now()) and a.via <> 'liaison')
          or open_to_staff);
end
$$;
revoke all on function app_sees_visit(uuid) from public;
grant execute on function app_sees_visit(uuid) to samaki_runtime;

reset role;

create or replace trigger commitment_gone after delete on commitments for each row execute function on_words_gone();
create or replace trigger feedback_gone after delete on feedback for each row execute function on_words_gone();

do $$
declare
  t text;
  p record;
  own constant text := 'organisation_id = app_organisation_id()';
  as_staff constant text := '(app_role() in (''caseworker'', ''supervisor'') and organisation_id = app_organisation_id())';
  as_member constant text :=
    '(app_role() in (''caseworker'', ''supervisor'', ''ccwc_liaison'') and organisation_id = app_organisation_id())';
  -- What is said of the commune office and the police is not for those who sit there.
  not_of_theirs constant text :=
    '(app_role() <> ''ccwc_liaison'' or public_service not in (''commune_office'', ''police''))';
  written constant text := 'created_by = app_user_id()';
  -- A liaison sees a case by assignment, and nothing of its visits (access.md).
  by_case constant text :=
    '(exists (select 1 from case_access a where a.case_id = home_visits.case_id'
    ' and a.principal = any ((select app_principals())::uuid[])'
    ' and (a.expires_at is null or a.expires_at > (select app_now())) and a.via <> ''liaison'' offset 0))';
  not_excluded constant text := '(case_id is null or case_id <> all ((select app_excluded_cases())::uuid[]))';
  of_household constant text := 'exists (select 1 from households h where h.id = household_id)';
  of_register constant text := 'exists (select 1 from people p where p.id = %s and p.case_id is null)';
  seen_visit text;
  by_recorder text;
begin
  for p in select policyname, schemaname, tablename from pg_policies
            where tablename in ('activities', 'activity_attendance', 'activity_participants', 'home_visits',
                                'commitments', 'feedback', 'businesses', 'distributions')
               or policyname in ('see_words', 'add_words') loop
    execute format('drop policy %I on %I.%I', p.policyname, p.schemaname, p.tablename);  -- this file may run alone
  end loop;
  foreach t in array array['activities', 'activity_attendance', 'activity_participants', 'home_visits',
                           'commitments', 'feedback', 'businesses', 'distributions'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
    -- Totals of an organisation, through column grants that hold no words.
    execute format('create policy count on %I for select to samaki_reports using (true)', t);
  end loop;

  execute 'create policy see on activities for select to samaki_runtime using ' || as_member;
  foreach t in array array['activities', 'businesses', 'distributions'] loop
    if t <> 'activities' then
      execute format('create policy see on %I for select to samaki_runtime using ', t) || as_staff;
    end if;
    -- What it is about is of the own register: a hidden household or owner is not there.
    execute format('create policy add on %I for insert to samaki_runtime with check (', t) || written || ' and ' || as_staff
            || case t when 'businesses' then ' and ' || format(of_register, 'owner_id')
                      when 'distributions' then ' and ' || of_household else '' end || ')';
    execute format('create policy change on %I for update to samaki_runtime using ', t) || as_staff;
    execute format('create policy remove on %I for delete to samaki_runtime using ', t) || as_staff;
  end loop;

  -- How many came is read with the activity; who came, by who wrote it down and by supervisors.
  execute 'create policy see on activity_attendance for select to samaki_runtime using ' || as_member;
  execute 'create policy add on activity_attendance for insert to samaki_runtime with check ' || as_staff;
  execute 'create policy remove on activity_attendance for delete to samaki_runtime using ' || as_staff;
  by_recorder := '(' || as_staff || ' and (app_role() = ''supervisor'' or exists (select 1 from activities v
                   where v.id = activity_id and v.created_by = app_user_id())))';
  execute 'create policy see on activity_participants for select to samaki_runtime using ' || by_recorder;
  execute 'create policy add on activity_participants for insert to samaki_runtime with check (' || by_recorder
          || ' and ' || format(of_register, 'person_id') || ')';
  execute 'create policy remove on activity_participants for delete to samaki_runtime using ' || by_recorder;

  foreach t in array array['commitments', 'feedback'] loop
    execute format('create policy see on %I for select to samaki_runtime using (', t) || as_member
            || case when t = 'feedback' then ' and ' || not_of_theirs else '' end || ')';
    execute format('create policy add on %I for insert to samaki_runtime with check (', t) || written || ' and ' || as_member
            || case when t = 'feedback' then ' and ' || not_of_theirs else '' end || ')';
    execute format('create policy change on %I for update to samaki_runtime using (', t) || as_member
            || case when t = 'feedback' then ' and ' || not_of_theirs else '' end || ')';
    execute format('create policy remove on %I for delete to samaki_runtime using (', t) || as_member
            || case when t = 'feedback' then ' and ' || not_of_theirs else '' end || ')';
  end loop;

  seen_visit := '(not erased and ' || not_excluded || ' and (' || by_case
                || ' or (' || as_staff || ' and (not protected or ' || written || '))))';
  execute 'create policy see on home_visits for select to samaki_runtime using ' || seen_visit;
  -- To the own register's household; to a case that is seen, if to any.
  execute 'create policy add on home_visits for insert to samaki_runtime with check (' || written || ' and ' || as_staff
          || ' and not erased and ' || of_household || ' and ' || not_excluded
          || ' and (case_id is null or ' || by_case || '))';
  execute 'create policy change on home_visits for update to samaki_runtime using ' || seen_visit;
  execute 'create policy remove on home_visits for delete to samaki_runtime using ' || seen_visit;

  -- The words of a commitment for who sees it; of feedback for who wrote it down and for supervisors.
  execute 'create policy see_words on vault.data_keys for select to samaki_runtime
             using ((part = ''commitment'' and exists (select 1 from commitments c where c.id = home))
                    or (part = ''feedback'' and exists (select 1 from feedback f where f.id = home
                          and (app_role() = ''supervisor'' or f.created_by = app_user_id()))))';
  execute 'create policy add_words on vault.data_keys for insert to samaki_runtime
             with check (' || own || ' and case_id is null
                         and ((part = ''commitment'' and exists (select 1 from commitments c where c.id = home and c.created_by = app_user_id()))
                              or (part = ''feedback'' and exists (select 1 from feedback f where f.id = home and f.created_by = app_user_id()))))';
end
$$;

grant select, insert, delete on activities, activity_attendance, activity_participants, home_visits, commitments,
  feedback, businesses, distributions to samaki_runtime;
grant update (kind, starts_on, ends_on, commune_code, village_code, topics, facilitators, people, groups, channel, reach,
              reach_basis, version, updated_at)
  on activities to samaki_runtime;
grant update (caseworker_id, visited_on, topics, outcome, next_visit_on, version, updated_at) on home_visits to samaki_runtime;
grant update (promised_by, commune_code, issue, activity_id, made_on, due_on, status, status_on, sealed, version, updated_at)
  on commitments to samaki_runtime;
grant update (public_service, commune_code, village_code, sentiment, given_on, given_sex, given_age_band, given_people,
              responded_on, sealed, version, updated_at)
  on feedback to samaki_runtime;
grant update (kind, commune_code, started_on, activity_id, alive_at_3_months, alive_at_6_months, alive_at_12_months,
              version, updated_at)
  on businesses to samaki_runtime;
grant update (cause, item, quantity, distributed_on, version, updated_at) on distributions to samaki_runtime;

-- Erasure takes a visit from the case; the functions above look at visits.
grant select, update on home_visits to samaki_definer;

-- Reports count; no words, and no link to a case.
grant select on activities, activity_attendance, activity_participants, businesses, distributions to samaki_reports;
grant select (id, organisation_id, household_id, visited_on, commune_code, topics, outcome, recorded_at, created_at, updated_at)
  on home_visits to samaki_reports;
grant select (id, organisation_id, promised_by, commune_code, issue, made_on, due_on, status, status_on, recorded_at,
              created_at, updated_at)
  on commitments to samaki_reports;
grant select (id, organisation_id, public_service, commune_code, sentiment, given_on, given_sex, given_age_band, given_people,
              responded_on, recorded_at, created_at, updated_at)
  on feedback to samaki_reports;
-- Who is the same human (access.md, People).
grant select (person_id, other_id) on person_links to samaki_reports;
do $$
begin
  drop policy if exists count on person_links;
  create policy count on person_links for select to samaki_reports using (true);
end
$$;
