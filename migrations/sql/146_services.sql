-- The directory of services: public data about nobody, so every caller of the API reads all of it, and app/policy.py
-- says who changes what. One wall is here all the same: where a shelter is must not stand in it, whoever writes.

-- What an organisation of shelters does beside sheltering is done at the same door, so it has no location either.
create or replace function keep_shelters_unplaced() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  kind text;
begin
  if new.locations = '[]'::jsonb then
    return new;
  end if;
  -- Held, so that the organisation does not become one of shelters beside us.
  select o.kind into kind from organisations o where o.id = new.organisation_id for share;
  if kind = 'shelter' then
    raise exception 'a shelter has no location in the directory' using errcode = 'check_violation';
  end if;
  return new;
end
$$;

create or replace trigger keep_shelters_unplaced before insert or update on services
  for each row execute function keep_shelters_unplaced();

-- An organisation that turns out to be one of shelters: what its services had said of places is gone.
create or replace function take_places_of_shelters() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update services set locations = '[]', version = version + 1, updated_at = new.updated_at
   where organisation_id = new.id and locations <> '[]'::jsonb;
  return new;
end
$$;

create or replace trigger take_places_of_shelters after update of kind on organisations
  for each row when (new.kind = 'shelter') execute function take_places_of_shelters();

grant select, insert on services to samaki_runtime;
grant update (service_type, status, name, name_km, description, description_km, eligibility, eligibility_km,
              minimum_age, maximum_age, sex_served, fees, fees_km, languages, schedules, phones, locations,
              capacity_open, places_total, places_free, assured_on, version, updated_at)
  on services to samaki_runtime;
