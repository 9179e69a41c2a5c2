-- The wall of visibility (access.md). What is not listed here is refused: row level security is enabled and forced on
-- every table with a case_id and on the private tables without one, for the tables' owner too.

-- Drops what an earlier version of this file made, then makes the policies anew.
do $$
declare
  p record;
begin
  for p in select policyname, schemaname, tablename from pg_policies where schemaname in ('public', 'vault') loop
    execute format('drop policy %I on %I.%I', p.policyname, p.schemaname, p.tablename);
  end loop;
end
$$;

do $$
declare
  t text;
  -- %1$s: the column with the case's id; %2$s: a further condition on the access row.
  -- `offset 0` forbids a hashed sub-plan over everything the caller may see; the exclusions are asked once a statement.
  may constant text :=
    '(exists (select 1 from case_access a where a.case_id = %1$s'
    ' and a.principal = any ((select app_principals())::uuid[])'
    ' and (a.expires_at is null or a.expires_at > (select app_now())) %2$s offset 0)'
    ' and %1$s <> all ((select app_excluded_cases())::uuid[]))';
  contribute constant text := 'and a.mode in (''contribute'', ''write'')';
  in_full constant text := 'and a.via <> ''liaison''';
  as_staff constant text := '(app_role() in (''caseworker'', ''supervisor'') and organisation_id = app_organisation_id())';
begin
  foreach t in array array['cases', 'people', 'person_links', 'households', 'consents', 'incidents', 'assignments',
                           'case_exclusions', 'break_glass_grants', 'notes', 'follow_ups', 'events', 'case_access',
                           'idempotency_keys', 'audit_events', 'search_tokens'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    -- The definer functions read and write everything, and nothing else runs as this role.
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
  end loop;

  -- vault.data_keys: the key of a case for who sees the case, or acts on its stub; of a register row for the staff.
  -- The worker wraps them anew and reads nothing that they seal. Keys of a `part` of a case are for fewer (120).
  execute 'alter table vault.data_keys enable row level security';
  execute 'alter table vault.data_keys force row level security';
  execute 'create policy definer on vault.data_keys to samaki_definer using (true) with check (true)';
  execute 'create policy see on vault.data_keys for select to samaki_runtime
             using ((case_id is null and part is null and ' || as_staff || ') or (case_id is not null and part is null and ('
          || format(may, 'data_keys.case_id', '') || ' or app_supervises(case_id))))';
  execute 'create policy add on vault.data_keys for insert to samaki_runtime
             with check ((case_id is null and part is null and ' || as_staff || ') or (case_id is not null and part is null and app_just_opened(case_id)))';
  execute 'create policy rotate on vault.data_keys to samaki_worker using (true) with check (true)';

  -- case_access: the caller's own principals; read only. It must not read case_access itself, that would recurse.
  execute 'create policy see on case_access for select to samaki_runtime
             using (principal = any ((select app_principals())::uuid[]))';

  -- cases
  execute 'create policy see on cases for select to samaki_runtime using ' || format(may, 'cases.id', '');
  execute 'create policy open on cases for insert to samaki_runtime
             with check (created_by = app_user_id() and (' || as_staff || ' or app_role() = ''ccwc_liaison''))';
  execute 'create policy change on cases for update to samaki_runtime
             using ' || format(may, 'cases.id', contribute);

  -- people: a case's people are seen as the case (a liaison sees the client only), the register's by the staff.
  execute 'create policy see on people for select to samaki_runtime
             using ((case_id is null and ' || as_staff || ') or (case_id is not null and '
          || format(may, 'people.case_id', 'and (a.via <> ''liaison'' or people.role = ''client'')') || '))';
  execute 'create policy add on people for insert to samaki_runtime
             with check (created_by = app_user_id() and ((case_id is null and ' || as_staff || ')
                         or (case_id is not null and (app_just_opened(case_id) or '
          || format(may, 'people.case_id', 'and a.mode = ''write''') || '))))';
  execute 'create policy change on people for update to samaki_runtime
             using ((case_id is null and ' || as_staff || ') or (case_id is not null and '
          || format(may, 'people.case_id', 'and a.mode = ''write''') || '))';

  -- search_tokens: found, written and taken away as the person's row is seen and changed; a liaison finds nobody.
  execute 'create policy see on search_tokens for select to samaki_runtime
             using ((case_id is null and ' || as_staff || ') or (case_id is not null and '
          || format(may, 'search_tokens.case_id', in_full) || '))';
  execute 'create policy add on search_tokens for insert to samaki_runtime
             with check ((case_id is null and ' || as_staff || ')
                         or case_id is not null and (app_just_opened(case_id) or '
          || format(may, 'search_tokens.case_id', 'and a.mode = ''write''') || '))';
  execute 'create policy remove on search_tokens for delete to samaki_runtime
             using ((case_id is null and ' || as_staff || ') or (case_id is not null and '
          || format(may, 'search_tokens.case_id', 'and a.mode = ''write''') || '))';

  -- Links are seen by who sees both ends (the policies of people decide). Only the row of a case just opened may be
  -- linked without being seen, and only to a row that is.
  execute 'create policy see on person_links for select to samaki_runtime
             using (exists (select 1 from people p where p.id = person_id) and exists (select 1 from people p where p.id = other_id))';
  execute 'create policy add on person_links for insert to samaki_runtime
             with check (created_by = app_user_id() and exists (select 1 from people p where p.id = other_id)
                         and (exists (select 1 from people p where p.id = person_id) or app_just_opened_for(person_id)))';

  -- Undone by who sees both ends and may change one of them.
  execute 'create policy remove on person_links for delete to samaki_runtime
             using (exists (select 1 from people p where p.id = person_id) and exists (select 1 from people p where p.id = other_id)
                    and exists (select 1 from people p where p.id in (person_id, other_id)
                                   and ((p.case_id is null and ' || as_staff || ')
                                        or ' || format(may, 'p.case_id', 'and a.mode = ''write''') || ')))';

  -- households: an organisation's register.
  execute 'create policy see on households for select to samaki_runtime using ' || as_staff;
  execute 'create policy add on households for insert to samaki_runtime with check (created_by = app_user_id() and ' || as_staff || ')';
  execute 'create policy change on households for update to samaki_runtime using ' || as_staff;

  -- What hangs on a case and no liaison sees.
  foreach t in array array['consents', 'incidents'] loop
    execute format('create policy see on %I for select to samaki_runtime using ', t) || format(may, t || '.case_id', in_full);
    execute format('create policy add on %I for insert to samaki_runtime with check (created_by = app_user_id() and
                      (app_just_opened(case_id) or ', t) || format(may, t || '.case_id', 'and a.mode = ''write''') || '))';
    execute format('create policy change on %I for update to samaki_runtime using ', t)
            || format(may, t || '.case_id', 'and a.mode = ''write''');
  end loop;

  -- notes: a liaison sees and writes those for the team.
  execute 'create policy see on notes for select to samaki_runtime using '
          || format(may, 'notes.case_id', 'and (a.via <> ''liaison'' or notes.audience = ''team'')');
  execute 'create policy add on notes for insert to samaki_runtime with check (created_by = app_user_id() and '
          || format(may, 'notes.case_id', contribute || ' and (a.via <> ''liaison'' or notes.audience = ''team'')') || ')';

  -- follow_ups: a liaison sees those given to her or him, and records them, with which the next one is planned.
  execute 'create policy see on follow_ups for select to samaki_runtime using '
          || format(may, 'follow_ups.case_id', 'and (a.via <> ''liaison'' or follow_ups.assignee_id = (select app_user_id()))');
  execute 'create policy add on follow_ups for insert to samaki_runtime with check (created_by = app_user_id() and '
          || format(may, 'follow_ups.case_id', contribute || ' and a.via <> ''break_glass'''
                         ' and (a.via <> ''liaison'' or follow_ups.assignee_id = (select app_user_id()))') || ')';
  execute 'create policy change on follow_ups for update to samaki_runtime using '
          || format(may, 'follow_ups.case_id', contribute || ' and a.via <> ''break_glass'''
                         ' and (a.via <> ''liaison'' or follow_ups.assignee_id = (select app_user_id()))');

  -- assignments: a liaison sees the own one. Supervisors may assign on a stub, without seeing who else works on it.
  execute 'create policy see on assignments for select to samaki_runtime using '
          || format(may, 'assignments.case_id', 'and (a.via <> ''liaison'' or assignments.user_id = (select app_user_id()))');
  execute 'create policy add on assignments for insert to samaki_runtime with check (created_by = app_user_id() and
             (app_just_opened(case_id) or app_supervises(case_id) or app_leads(case_id)))';
  execute 'create policy change on assignments for update to samaki_runtime using '
          || format(may, 'assignments.case_id', contribute || ' and a.via <> ''liaison''');

  -- events: written by whoever may act, read as the case is; a liaison reads what is for the team. What is about an
  -- exclusion or a match is read by who may read that.
  execute 'create policy see on events for select to samaki_runtime using (case_id is not null and '
          || format(may, 'events.case_id', 'and (a.via <> ''liaison'' or events.audience = ''team'')')
          || ' and case when events.audience = ''oversight'' then app_knows_exclusion(events.subject_id) else true end)';
  execute 'create policy add on events for insert to samaki_runtime with check (actor_id = app_user_id() and case_id is not null and
             (app_just_opened(case_id) or app_supervises(case_id) or ' || format(may, 'events.case_id', contribute) || '))';

  -- case_exclusions, break_glass_grants: nothing at all for the runtime role; 050 and 055 say who knows of them.

  -- idempotency_keys: the own ones; the worker takes old ones away.
  execute 'create policy own on idempotency_keys to samaki_runtime
             using (actor_id = app_user_id()) with check (actor_id = app_user_id())';
  execute 'create policy sweep on idempotency_keys to samaki_worker using (true)';

  -- reports: counts over every case, through column grants that name no client (110_grants.sql).
  execute 'create policy count on cases for select to samaki_reports using (true)';
  execute 'create policy count on consents for select to samaki_reports using (true)';
end
$$;
