"""Made-up Chinese texts with the lengths of real ones, all different: what the benchmark sends."""

import random

CLAUSES = """房间很干净 早餐种类不多 服务员态度冷淡 离地铁站只有五分钟 隔音不太好
性价比很高 下次还会来 前台办理入住太慢 屏幕显示清楚 电池一天要充两次
物流很快 包装有破损 客服一直不回复 用了两个月还很流畅 和描述的不一样
颜色比图片深 故事讲得很慢 结尾让人意外 翻译读起来别扭 主角的性格很真实
看到一半就放下了 推荐给喜欢历史的朋友 排版太密 纸张摸起来不错 菜送到的时候已经凉了
分量很足 味道偏咸 骑手很有礼貌 等了一个半小时 汤洒了一袋子
价格比以前贵了 孩子特别喜欢 请问什么时候可以退款 我的订单还没有发货 怎么修改收货地址
发票开错了抬头 会员为什么自动续费 验证码一直收不到""".split()
JOINTS = ["，", "，", "，", "。", "，而且", "，但是", "；"]
# Clauses in a text: many short ones, some of a paragraph, few of a page.
LENGTHS, WEIGHTS = (1, 2, 3, 5, 8, 14, 30), (24, 26, 20, 14, 9, 5, 2)


def make_texts(count: int, seed: int) -> list[str]:
    """`count` different texts, the same for the same seed."""
    rng = random.Random(seed)
    texts: dict[str, None] = {}
    while len(texts) < count:
        clauses = rng.choices(CLAUSES, k=rng.choices(LENGTHS, WEIGHTS)[0])
        text = clauses[0] + "".join(rng.choice(JOINTS) + clause for clause in clauses[1:])
        # A number makes it different from all others without changing its length much.
        texts[f"{text}，{rng.randrange(100_000)}号"] = None
    return list(texts)
