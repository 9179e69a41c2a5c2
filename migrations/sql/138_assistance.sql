-- Assistance (product.md): who sees requests and payments, what a payment does to its request, and the month's ledger.
-- After 100 and 110, which take all policies and rights away first.

set local role samaki_definer;  -- who owns what follows

-- The case of a request, if the caller reaches it. Asked before the row policies are, which begin to work only when
-- there is a row: a hidden request would so take longer than one that does not exist.
create or replace function app_assistance_case(the_request uuid) returns uuid
  language plpgsql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  home uuid;
begin
  select r.case_id into home from assistance_requests r where r.id = the_request;
  home := coalesce(home, the_request);  -- that is no case: nothing is found there, by the same steps
  return case when home <> all (app_excluded_cases())
               and exists (select from case_access a
                            where a.case_id = home and a.principal = any (app_principals())
                              and (a.expires_at is null or a.expires_at > app_now()))
              then home end;
end
$$;

-- Paid and status follow from the payments, whoever writes them: the second net under the service. The update waits for
-- who pays at the same time and counts on from there; the table's own rule then refuses what is above the approval.
create or replace function on_disbursed() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  r assistance_requests;
begin
  select * into r from assistance_requests where id = new.request_id for no key update;
  if new.reversal_of is null and r.status not in ('approved', 'part_paid')
     or (new.amount_minor is null) <> (r.approved_minor is null) then
    raise 'this request takes no such payment' using errcode = 'check_violation';
  end if;
  if new.reversal_of is not null
     and not exists (select from assistance_disbursements p
                      where p.id = new.reversal_of and p.request_id = r.id and p.reversal_of is null
                        and p.amount_minor is not distinct from -new.amount_minor) then
    raise 'this takes back no payment of the request' using errcode = 'check_violation';
  end if;
  r.paid_minor := r.paid_minor + coalesce(new.amount_minor, 0);
  r.payments := r.payments + case when new.reversal_of is null then 1 else -1 end;
  update assistance_requests q
     set paid_minor = r.paid_minor, payments = r.payments,
         ended_by = null, ended_at = null,  -- what was settled is open again when a payment of it is taken back
         status = case when r.payments = 0 then 'approved'
                       when r.paid_minor < r.approved_minor then 'part_paid'
                       else 'paid' end,
         version = q.version + 1, updated_at = app_now()
   where q.id = r.id;
  return null;
end
$$;

-- What was paid in these days, for the organisation's supervisors: of the cases that each sees or has as a stub. Lines
-- are called by names of their own, and nothing in them leads to a case.
create or replace function assistance_ledger(first_day date, day_after date)
  returns table (reference uuid, paid_on date, kind text, amount_minor bigint, currency text, method text, reversal_of uuid)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select d.reference, d.paid_on, r.kind::text, d.amount_minor, r.currency::text, d.method::text, o.reference
    from (select app_excluded_cases() as cases offset 0) gone
   cross join lateral (
     select d.* from assistance_disbursements d
      where app_role() = 'supervisor' and d.organisation_id = app_organisation_id()
        and d.paid_on >= first_day and d.paid_on < day_after
        and d.amount_minor is not null  -- help that was given without an amount is no money
        and d.case_id <> all (gone.cases)
     offset 0) d
    join assistance_requests r on r.id = d.request_id
    left join assistance_disbursements o on o.id = d.reversal_of
$$;

do $$
declare
  f text;
begin
  foreach f in array array['app_assistance_case(uuid)', 'on_disbursed()', 'assistance_ledger(date, date)'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
end
$$;
grant execute on function app_assistance_case(uuid), assistance_ledger(date, date) to samaki_runtime;
grant execute on function on_disbursed() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

create or replace trigger disbursed after insert on assistance_disbursements
  for each row when (current_user <> 'samaki_loader') execute function on_disbursed();

do $$
declare
  t text;
  p text;
  -- %1$s: the column with the case's id; %2$s: a further condition on the access row.
  may constant text :=
    '(exists (select 1 from case_access a where a.case_id = %1$s'
    ' and a.principal = any ((select app_principals())::uuid[])'
    ' and (a.expires_at is null or a.expires_at > (select app_now())) %2$s offset 0)'
    ' and %1$s <> all ((select app_excluded_cases())::uuid[]))';
  in_full constant text := 'and a.via <> ''liaison''';
  works constant text := 'and a.mode in (''contribute'', ''write'') and a.via not in (''liaison'', ''break_glass'')';
begin
  foreach t in array array['assistance_requests', 'assistance_disbursements'] loop
    for p in select policyname from pg_policies where schemaname = 'public' and tablename = t loop
      execute format('drop policy %I on %I', p, t);  -- 100 did so with those of an earlier version; this file may run alone
    end loop;
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
  end loop;

  -- Seen as the case is, by no liaison. Asked for by who writes the case; decided, ended and paid also by who reviews it.
  execute 'create policy see on assistance_requests for select to samaki_runtime
             using ' || format(may, 'assistance_requests.case_id', in_full);
  execute 'create policy add on assistance_requests for insert to samaki_runtime
             with check (created_by = app_user_id() and ' || format(may, 'assistance_requests.case_id', 'and a.mode = ''write''') || ')';
  execute 'create policy change on assistance_requests for update to samaki_runtime
             using ' || format(may, 'assistance_requests.case_id', works);
  execute 'create policy see on assistance_disbursements for select to samaki_runtime
             using ' || format(may, 'assistance_disbursements.case_id', in_full);
  execute 'create policy add on assistance_disbursements for insert to samaki_runtime
             with check (created_by = app_user_id() and ' || format(may, 'assistance_disbursements.case_id', works) || ')';
end
$$;

grant select, delete on assistance_requests, assistance_disbursements to samaki_definer;
grant update on assistance_requests to samaki_definer;
grant select, insert on assistance_requests, assistance_disbursements to samaki_runtime;
-- Nobody but the trigger counts payments, and what was asked for or paid is not changed afterwards.
grant update (status, first_approved_minor, first_approved_by, first_approved_at, approved_minor, decided_by, decided_at,
              ended_by, ended_at, sealed, version, updated_at) on assistance_requests to samaki_runtime;
