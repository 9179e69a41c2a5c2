-- The one readable statement of who sees a case (access.md, "Who sees a case"). case_access is this view, stored.

set local role samaki_definer;  -- who owns what follows

-- Assignments whose person may hold them right now; everything else gives no access and is ended when next touched.
create or replace view fitting_assignments as
select a.id, a.case_id, a.user_id, a.role, u.principal,
       case when a.role = 'liaison' then consent.expires_at else a.until end as expires_at
  from assignments a
  join cases c on c.id = a.case_id and c.organisation_id = a.organisation_id
  join users u on u.id = a.user_id
  left join lateral (
    select case when bool_or(k.expires_on is null) then null
                else max((k.expires_on + 1)::timestamp at time zone 'Asia/Phnom_Penh') end as expires_at,
           count(*) as given
      from consents k
     where k.case_id = a.case_id and k.purpose = 'ccwc_support' and k.withdrawn_at is null
       and (k.expires_on is null or (k.expires_on + 1)::timestamp at time zone 'Asia/Phnom_Penh' > app_now())
  ) consent on a.role = 'liaison'
 where a.ended_at is null
   and (a.until is null or a.until > app_now())
   and u.active
   and case a.role
         when 'liaison'  then u.role = 'ccwc_liaison' and c.commune_code = any (u.communes) and consent.given > 0
         when 'reviewer' then u.role = 'supervisor' and u.organisation_id = a.organisation_id
                              or u.role = 'supervisor' and exists (  -- lent by another organisation (158)
                                select from outside_reviews r
                                 where r.assignment_id = a.id and r.user_id = u.id and r.lender_id = u.organisation_id)
         else u.role in ('caseworker', 'supervisor') and u.organisation_id = a.organisation_id
       end;

create or replace view case_access_rows as
select distinct on (way.principal, c.id)
       way.principal, c.id as case_id, way.mode, way.via, way.expires_at, c.opened_at, c.status, c.category
  from cases c
  join organisations o on o.id = c.organisation_id
  cross join lateral (
    select f.principal,
           case when f.role in ('lead', 'caseworker', 'cover') then 'write' else 'contribute' end as mode,
           case f.role when 'caseworker' then 'assigned' else f.role end as via,
           f.expires_at,
           array_position(array['lead', 'caseworker', 'cover', 'liaison', 'reviewer'], f.role::text) as rank
      from fitting_assignments f
     where f.case_id = c.id
    union all
    select o.staff_principal, 'read', 'organisation', null, 6
     where c.sensitivity = 'standard'
    union all
    select o.supervisors_principal, 'write', 'organisation', null, 6
     where c.sensitivity = 'standard'
    union all  -- nobody carries it: the organisation's supervisors review it until a lead is named
    select o.supervisors_principal, 'contribute', 'reviewer', null, 5
     where c.sensitivity = 'sensitive' and c.lead_id is null and c.status <> 'closed'
    union all
    select u.principal, 'contribute', 'break_glass', g.expires_at, 7
      from break_glass_grants g
      join users u on u.id = g.user_id and u.active
     where g.case_id = c.id and g.ended_at is null and g.expires_at > app_now()
       and u.role in ('caseworker', 'supervisor') and u.organisation_id = c.organisation_id
  ) way
 where c.erased_at is null
 order by way.principal, c.id, way.rank;

-- The views run with their owner's rights: inside definer functions, and for the loader, who sees everything anyhow.
revoke all on fitting_assignments, case_access_rows from public;
grant select on case_access_rows to samaki_loader;

reset role;
