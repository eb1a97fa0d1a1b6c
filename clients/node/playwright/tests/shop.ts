import { openShop, urlOf } from "../../shop/shop.cjs";

/** Opens the shop that README.md's program tests, before all tests; what it gives back closes it. */
export default async function setUp(): Promise<() => void> {
  const shop = await openShop(process.env["SMTP_PORT"]);
  process.env["SHOP_URL"] = urlOf(shop);
  return () => shop.close();
}
